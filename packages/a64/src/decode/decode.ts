import type { Instruction } from '../instruction.ts';
import type { EncodingClass } from './encoding-class.ts';
import { encodingClasses } from './encoding-classes.ts';

/** Bits 31 to 21 of a word: no two of the larger classes are alike in them. */
const indexBits = 11;
const indexMask = ((2 ** indexBits - 1) << (32 - indexBits)) >>> 0;

const byTopBits: readonly (readonly EncodingClass[])[] = Array.from(
  { length: 2 ** indexBits },
  (_, index) => {
    const top = (index << (32 - indexBits)) >>> 0;
    return encodingClasses.filter(({ mask, value }) => ((top ^ value) & mask & indexMask) === 0);
  },
);

/** The class whose layout a word has, if any; what it encodes may still be unallocated. */
export function encodingClassOf(word: number): EncodingClass | undefined {
  return byTopBits[word >>> (32 - indexBits)]?.find(
    ({ mask, value }) => ((word ^ value) & mask) === 0,
  );
}

/** What a 32-bit word does; undefined for what is no instruction of this architecture. */
export function decode(word: number): Instruction | undefined {
  return encodingClassOf(word)?.decode(word);
}
