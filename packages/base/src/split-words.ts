import { TaplineError } from './tapline-error.ts';

/** `jq -n "1 + 1"` as the words of a command: spaces separate, quotes join, nothing is expanded. */
export function splitWords(text: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (const character of text) {
    if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else word = (word ?? '') + character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + character;
    }
  }
  if (quote !== undefined) {
    throw new TaplineError('usage', `${JSON.stringify(text)} has a ${quote} that does not end`);
  }
  if (word !== undefined) words.push(word);
  return words;
}
