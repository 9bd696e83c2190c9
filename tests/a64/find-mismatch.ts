import { caseRecord, type CaseRecord, type Cases, emptyCases, recordSize } from './case-record.ts';
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

/** Clears one part of the state after the other, and keeps it cleared where they still disagree. */
function shrink(start: Cases, sides: Sides): Mismatch {
  let smallest = start;
  const parts = ['general', 'vectors', 'window', 'flags', 'floating'] as const;
  for (const part of parts) {
    const { length } = caseRecord(smallest, 0)[part];
    for (let index = 0; index < length; index++) {
      const candidate = single(caseRecord(smallest, 0));
      const values = caseRecord(candidate, 0)[part];
      if (Number(values[index]) === 0) continue;
      values.fill(0 as never, index, index + 1);
      if (disagreement(candidate, sides).length > 0) smallest = candidate;
    }
  }
  return { cases: smallest, differences: disagreement(smallest, sides) };
}
