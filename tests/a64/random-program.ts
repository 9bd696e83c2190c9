import { decode, encodingClasses } from '@tapline/a64';
import type { Rng } from '@tapline/base';
import { isComparable } from './class-cases.ts';
import { pick, randomWord } from './random-state.ts';
import { randomWords } from './random-words.ts';

/** Registers that point to data at first, and are seldom written. */
export const pointers: readonly number[] = [20, 21, 22, 23, 24, 25, 26, 27];
/** Points into the code. */
export const codePointer = 28;
/** In instructions. */
export const programLength = 60;
const breakpoint = 0xd4200000;
const systemCall = 0xd4000001;

/** Words of a whole program, by a source that is made once for many. */
export type ProgramSource = (rng: Rng) => readonly number[];

/**
 * Programs of instructions of all classes, with branches back and forth within them, and addresses that
 * are mapped more often than not: so that they loop, call, fault and end.
 */
export function programSource(rng: Rng): ProgramSource {
  const sources = encodingClasses.map((each) => randomWords(each, rng));
  return (own) =>
    Array.from({ length: programLength }, (_, at) => {
      if (at === programLength - 1) return breakpoint;
      if (own() < 0.01) return systemCall;
      // Without any sense, as data is that is come to by mistake.
      if (own() < 0.01) return randomWord(own);
      for (;;) {
        const word = steered(pick(own, sources)(), { at, rng: own });
        if (isComparable(word)) return word;
      }
    });
}

function steered(word: number, { at, rng }: { readonly at: number; readonly rng: Rng }): number {
  const instruction = decode(word);
  const target = Math.floor(rng() * programLength) - at;
  if (instruction === undefined) return word;
  switch (instruction.kind) {
    case 'branch':
      return withField(word, { at: 0, bits: 26 }, target);
    case 'branch-conditional':
    case 'compare-branch':
      return withField(word, { at: 5, bits: 19 }, target);
    case 'test-branch':
      return withField(word, { at: 5, bits: 14 }, target);
    case 'branch-register':
      return rng() < 0.2 ? word : withField(word, { at: 5, bits: 5 }, codePointer);
    default: {
      const addressed = /^(load|atomic|compare-and)/.test(instruction.kind);
      const base =
        addressed && rng() < 0.97 ? withField(word, baseField, pick(rng, pointers)) : word;
      // Most of what is written is something else than a pointer.
      return rng() < 0.9 ? (base & ~0x10) >>> 0 : base;
    }
  }
}

const baseField = { at: 5, bits: 5 };

function withField(
  word: number,
  field: { readonly at: number; readonly bits: number },
  value: number,
): number {
  const mask = 2 ** field.bits - 1;
  return ((word & ~(mask << field.at)) | ((value & mask) << field.at)) >>> 0;
}
