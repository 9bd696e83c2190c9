import { StepFailure } from './step-failure.ts';

/** A mode after `chmod`, octal or symbolic (POSIX `chmod`); ids and the sticky bit are not kept. */
export function changeMode(mode: number, text: string, isDirectory: boolean): number {
  if (/^[0-7]{1,4}$/.test(text)) return Number.parseInt(text, 8) & 0o777;
  let result = mode;
  for (const clause of text.split(',')) {
    const match = /^([ugoa]*)((?:[-+=][rwxXst]*)+)$/.exec(clause);
    if (match === null) throw new StepFailure(`permissions ${text} are not understood`);
    const [, who = '', actions = ''] = match;
    const mask = maskOf(who === '' ? 'a' : who);
    for (const [, operator = '', letters = ''] of actions.matchAll(/([-+=])([rwxXst]*)/g)) {
      const bits = bitsOf(letters, isDirectory || (result & 0o111) !== 0) & mask;
      if (operator === '+') result |= bits;
      else if (operator === '-') result &= ~bits;
      else result = (result & ~mask) | bits;
    }
  }
  return result & 0o777;
}

function maskOf(who: string): number {
  const masks: Readonly<Record<string, number>> = { u: 0o700, g: 0o070, o: 0o007, a: 0o777 };
  return who.split('').reduce((mask, letter) => mask | (masks[letter] ?? 0), 0);
}

function bitsOf(letters: string, maySearch: boolean): number {
  const bits: Readonly<Record<string, number>> = {
    r: 0o444,
    w: 0o222,
    x: 0o111,
    X: maySearch ? 0o111 : 0,
  };
  return letters.split('').reduce((sum, letter) => sum | (bits[letter] ?? 0), 0);
}
