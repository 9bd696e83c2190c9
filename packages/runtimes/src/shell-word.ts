import { TaplineError } from '@tapline/base';
import { shellQuote } from './shell-quote.ts';

/** `word` as one word of a POSIX shell command on one line. */
export function shellWord(word: string): string {
  if (word.includes('\n')) {
    throw new TaplineError('container_invalid', `${JSON.stringify(word)} spans more than one line`);
  }
  return shellQuote(word);
}
