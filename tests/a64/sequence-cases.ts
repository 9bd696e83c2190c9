import { encodingClasses } from '@tapline/a64';
import { seededRng } from '@tapline/base';
import {
  breakpoint,
  caseRecord,
  type Cases,
  codeWords,
  emptyCases,
  windowAddress,
} from './case-record.ts';
import { isComparable } from './class-cases.ts';
import { pick, randomState } from './random-state.ts';
import { randomWords } from './random-words.ts';

/** What makes flags, reads flags, and carries values from one register to the next. */
const classNames: ReadonlySet<string> = new Set([
  'Add/subtract (immediate)',
  'Logical (immediate)',
  'Move wide (immediate)',
  'Bitfield',
  'Add/subtract (shifted register)',
  'Add/subtract (extended register)',
  'Add/subtract (with carry)',
  'Logical (shifted register)',
  'Conditional compare',
  'Conditional select',
  'Data-processing (3 source)',
  'Floating-point compare',
  'Floating-point conditional select',
  'Floating-point data-processing (2 source)',
  'Floating-point data-processing (3 source)',
  'Conversion between floating-point and integer',
  'Advanced SIMD copy',
  'Advanced SIMD three same',
  'Advanced SIMD load/store multiple structures (post-indexed)',
  // Two of three: what is not near the window faults, with all registers as they were.
  'Load/store register (unscaled, indexed or unprivileged)',
  'Load/store register (unsigned immediate)',
]);
/** B.cond over the next instruction. */
const skip = 0x54000040;
/** All registers are among the first eight, so that instructions meet. */
const fewRegisters = ~((0x18 << 5) | 0x18);

/** Four instructions one after the other, often with a branch among them. */
export function sequenceCases(count: number, seed: number): Cases {
  const rng = seededRng(seed);
  const sources = encodingClasses
    .filter(({ name }) => classNames.has(name))
    .map((encodingClass) => randomWords(encodingClass, rng));
  const cases = emptyCases(count);
  for (let index = 0; index < count; index++) {
    const record = caseRecord(cases, index);
    randomState(record, rng);
    record.code.fill(breakpoint);
    if (rng() < 0.7) {
      for (let register = 0; register < 8; register++) {
        record.general[register] = BigInt(windowAddress + 96 + Math.floor(rng() * 8) * 8);
      }
    }
    for (let at = 0; at < codeWords; at++) {
      let word: number;
      do {
        word = pick(rng, sources)();
        if (rng() < 0.7) word = (word & fewRegisters) >>> 0;
      } while (!isComparable(word));
      record.code[at] = word;
    }
    if (rng() < 0.5) record.code[1 + Math.floor(rng() * 2)] = skip | Math.floor(rng() * 16);
  }
  return cases;
}
