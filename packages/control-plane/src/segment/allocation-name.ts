import type { Segment } from '@tapline/resources';

export const defaultFabric = 'default';

/** The Allocation of a fabric's own numbers. */
export function fabricAllocation(fabric: string): string {
  return `fabric.${fabric}`;
}

/** The Allocation of what a segment leases to its children, or of its ports. */
export function segmentAllocation(segment: string): string {
  return `segment.${segment}`;
}

/** Where a segment gets its numbers. */
export function lessorOf({ spec }: Segment): string {
  return spec.parent === undefined
    ? fabricAllocation(spec.fabric ?? defaultFabric)
    : segmentAllocation(spec.parent);
}

/** Whether it is there to lease to children. */
export function isParent({ spec }: Segment): boolean {
  return spec.vnis?.size !== undefined;
}
