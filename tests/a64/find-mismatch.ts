import {
  breakpoint,
  caseRecord,
  type CaseRecord,
  type Cases,
  codeWords,
  emptyCases,
  recordSize,
} from './case-record.ts';
import { compareCases } from './compare-cases.ts';

export type RunCases = (cases: Cases) => Cases;

/** Who has to agree. */
export interface Sides {
  readonly ours: RunCases;
  readonly theirs: RunCases;
  /** What theirs came to, where it is known. */
  readonly expected?: Cases;
}

export interface Mismatch {
  /** The case alone, as number 0. */
  readonly cases: Cases;
  readonly differences: readonly string[];
}

/** The first case that the two do not agree on, made as small as it still disagrees. */
export function findMismatch(cases: Cases, sides: Sides): Mismatch | undefined {
  const ours = sides.ours(cases);
  const theirs = sides.expected ?? sides.theirs(cases);
  for (let index = 0; index < cases.count; index++) {
    const differences = compareCases(caseRecord(ours, index), caseRecord(theirs, index));
    if (differences.length === 0) continue;
    const alone = single(caseRecord(cases, index));
    // What depends on where its code was is shown as it was found.
    if (disagreement(alone, sides).length === 0) return { cases: alone, differences };
    return shrink(alone, sides);
  }
  return undefined;
}

function single(record: CaseRecord): Cases {
  const cases = emptyCases(1);
  cases.bytes.set(record.bytes.subarray(0, recordSize));
  return cases;
}

function disagreement(cases: Cases, sides: Sides): readonly string[] {
  return compareCases(caseRecord(sides.ours(cases), 0), caseRecord(sides.theirs(cases), 0));
}

/** HINT #0. */
const noOperation = 0xd503201f;

/** Clears one part of a case after the other, and keeps it cleared where they still disagree. */
function shrink(start: Cases, sides: Sides): Mismatch {
  let smallest = start;
  const attempt = (clear: (record: CaseRecord) => boolean): void => {
    const candidate = single(caseRecord(smallest, 0));
    if (!clear(caseRecord(candidate, 0))) return;
    if (disagreement(candidate, sides).length > 0) smallest = candidate;
  };
  for (let index = 0; index < codeWords; index++) {
    attempt(({ code }) => {
      if (code[index] === breakpoint) return false;
      code[index] = noOperation;
      return true;
    });
  }
  for (const part of ['general', 'vectors', 'window', 'flags', 'floating'] as const) {
    const { length } = caseRecord(smallest, 0)[part];
    for (let index = 0; index < length; index++) {
      attempt((record) => clearOne(record[part], index));
    }
  }
  return { cases: smallest, differences: disagreement(smallest, sides) };
}

/** False where it is zero already. */
function clearOne(values: BigUint64Array | Uint32Array, index: number): boolean {
  if (Number(values[index]) === 0) return false;
  if (values instanceof BigUint64Array) values[index] = 0n;
  else values[index] = 0;
  return true;
}
