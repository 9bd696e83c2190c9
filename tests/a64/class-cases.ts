import { decode, type EncodingClass } from '@tapline/a64';
import { seededRng } from '@tapline/base';
import { caseRecord, type Cases, emptyCases } from './case-record.ts';
import { isUnpredictable } from './is-unpredictable.ts';
import { randomCase } from './random-case.ts';
import { randomWords } from './random-words.ts';

/** As many cases of one class; the same ones for the same seed. */
export function classCases(
  encodingClass: EncodingClass,
  how: { readonly count: number; readonly seed: number },
): Cases {
  const rng = seededRng(how.seed);
  const words = randomWords(encodingClass, rng);
  const cases = emptyCases(how.count);
  for (let index = 0; index < how.count; index++) {
    let word = words();
    while (!isComparable(word)) word = words();
    randomCase(caseRecord(cases, index), { word, rng, index });
  }
  return cases;
}

/** Not so: what calls the system, and what says which machine this is and what time. */
export function isComparable(word: number): boolean {
  const instruction = decode(word);
  if (instruction === undefined) return true;
  switch (instruction.kind) {
    case 'exception':
      return instruction.op === 'brk';
    case 'identification-register':
      return false;
    case 'system-register':
      return instruction.register !== 'cntvct_el0';
    default:
      return !isUnpredictable(instruction);
  }
}
