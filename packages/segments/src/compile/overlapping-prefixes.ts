import { TaplineError } from '@tapline/base';
import { type Subnet, subnetsOverlap } from '../address/subnet.ts';
import type { SegmentIntent } from '../intent/segment-intent.ts';

export interface SegmentSubnet extends Subnet {
  readonly segment: SegmentIntent;
}

/** Segments whose subnets share addresses with one of a lower VNI, and why that is wrong. */
export function overlappingPrefixes(
  ranges: readonly SegmentSubnet[],
): ReadonlyMap<SegmentIntent, TaplineError> {
  const sorted = ranges.toSorted((a, b) => a.family - b.family || compare(a.value, b.value));
  const refused = new Map<SegmentIntent, TaplineError>();
  let open: SegmentSubnet[] = [];
  for (const range of sorted) {
    open = open.filter((other) => subnetsOverlap(other, range));
    for (const other of open) {
      const [kept, late] = other.segment.vni < range.segment.vni ? [other, range] : [range, other];
      refused.set(late.segment, overlapError(late.segment, kept.segment));
    }
    open.push(range);
  }
  return refused;
}

function overlapError(late: SegmentIntent, kept: SegmentIntent): TaplineError {
  return new TaplineError(
    'prefix_overlaps',
    `subnet ${late.subnet} of segment ${late.name} overlaps ${kept.subnet} of segment ${kept.name} on the same node`,
    { hint: 'give one of them another subnet, or keep them on different nodes' },
  );
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
