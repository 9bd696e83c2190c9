import { TaplineError } from '@tapline/base';
import type { BpfInstruction } from '../state/node-state.ts';

const load = 0x20;
const equal = 0x15;
const answer = 0x06;
/** SKF_AD_OFF + SKF_AD_MARK (linux/filter.h): the load of a packet's mark. */
const markOffset = 0xfffff014;
/** TC_ACT_SHOT and TC_ACT_OK. */
const drop = 2;
const pass = 0;
/** A jump is one byte wide. */
const farthest = 255;
/** BPF_MAXINSNS is 4096, two for each mark. */
const mostMarks = 2047;

/** Passes frames with one of the marks and drops all others. */
export function egressProgram(marks: readonly number[]): readonly BpfInstruction[] {
  if (marks.length > mostMarks) {
    throw new TaplineError(
      'groups_too_many',
      `${marks.length} groups may reach one port, more than the ${mostMarks} that a filter holds`,
      { hint: 'use fewer communities in the segment' },
    );
  }
  const sorted = marks.toSorted((a, b) => a - b);
  const near = sorted.length <= farthest;
  return [
    { code: load, jt: 0, jf: 0, k: markOffset },
    ...sorted.flatMap((mark, index) =>
      near
        ? [{ code: equal, jt: sorted.length - index, jf: 0, k: mark }]
        : [{ code: equal, jt: 0, jf: 1, k: mark }, ret(pass)],
    ),
    ret(drop),
    ...(near && sorted.length > 0 ? [ret(pass)] : []),
  ];
}

function ret(k: number): BpfInstruction {
  return { code: answer, jt: 0, jf: 0, k };
}
