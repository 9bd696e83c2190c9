import { encodingClasses } from '@tapline/a64';
import { seededRng } from '@tapline/base';
import { breakpoint, caseRecord, type Cases, codeWords, emptyCases } from './case-record.ts';
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
    for (let at = 0; at < codeWords; at++) {
      const word = pick(rng, sources)();
      record.code[at] = rng() < 0.7 ? (word & fewRegisters) >>> 0 : word;
    }
    if (rng() < 0.5) record.code[1 + Math.floor(rng() * 2)] = skip | Math.floor(rng() * 16);
  }
  return cases;
}
