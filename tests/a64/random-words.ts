import { decode, type EncodingClass } from '@tapline/a64';
import type { Rng } from '@tapline/base';
import { pick, randomWord } from './random-state.ts';

const tries = 30;
const longSearch = 2_000_000;
/** Fields that nearly every instruction has for registers: Rd and Rn. */
const registerMask = 0x3ff;

/** System registers, and cache maintenance by address: too few among all names to be met by chance. */
const examples: Readonly<Record<string, readonly number[]>> = {
  'System register move': [
    0xd53b0020, 0xd53b00e0, 0xd53b4200, 0xd51b4200, 0xd53b4400, 0xd51b4400, 0xd53b4420, 0xd51b4420,
    0xd53bd040, 0xd51bd040, 0xd53bd060, 0xd53be000, 0xd53b9e00,
  ],
  'System instructions': [0xd50b7420, 0xd50b7520, 0xd50b7a20, 0xd50b7b20, 0xd50b7e20],
};

/**
 * Words of one class, nearly all of them instructions. Of classes where few are, some words are
 * found, and their registers varied.
 */
export function randomWords(encodingClass: EncodingClass, rng: Rng): () => number {
  const { name, mask, value } = encodingClass;
  const found: number[] = [...(examples[name] ?? [])];
  const any = (): number => ((randomWord(rng) & ~mask) | value) >>> 0;
  const search = (limit: number): number | undefined => {
    for (let left = limit; left > 0; left--) {
      const word = any();
      if (decode(word) !== undefined) return word;
    }
    return undefined;
  };
  const vary = (word: number): number =>
    ((word & ~(registerMask & ~mask)) | (randomWord(rng) & registerMask & ~mask)) >>> 0;
  return () => {
    if (rng() < 0.03) return any();
    const word = search(found.length === 0 ? longSearch : tries);
    if (word !== undefined) {
      found.push(word);
      return word;
    }
    if (found.length === 0) throw new Error(`no word of ${name} is an instruction`);
    const base = pick(rng, found);
    const varied = name in examples ? (base & ~31) | (randomWord(rng) & 31) : vary(base);
    return decode(varied >>> 0) === undefined ? base : varied >>> 0;
  };
}
