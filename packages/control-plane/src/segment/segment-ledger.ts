import type { Allocation, AllocationSpec, Segment } from '@tapline/resources';
import {
  fabricPool,
  type Lease,
  type LeaseLedger,
  type LeasePool,
  newPortLedger,
  planPorts,
  type PortLedger,
  type WantedPort,
} from '@tapline/segments';
import { fabricOf } from './lineage.ts';
import type { SegmentObservation } from './plan-segment.ts';

/** A segment's ports as they are to be, and whether that is what stands. */
export interface SettledPorts extends PortLedger {
  readonly changed: boolean;
}

export function ledgerOf(allocation: Allocation | undefined): LeaseLedger {
  return { serial: allocation?.spec.serial ?? 0, leases: allocation?.spec.leases ?? [] };
}

/** The lease that a segment has of its lessor's numbers. */
export function leaseOf(segment: Segment, lessor: Allocation | undefined): Lease | undefined {
  const { uid } = segment.metadata;
  return lessor?.spec.leases?.find((one) => one.uid === uid && one.until === undefined);
}

/** What there is to lease from; undefined while the parent has no numbers itself. */
export function leasePoolOf({
  segment,
  lineage,
}: Pick<SegmentObservation, 'segment' | 'lineage'>): LeasePool | undefined {
  if (!Array.isArray(lineage)) return undefined;
  const [parent] = lineage as readonly Segment[];
  if (parent === undefined) return fabricPool(fabricOf(segment));
  const { vnis, subnet } = parent.status ?? {};
  if (vnis === undefined || subnet === undefined) return undefined;
  return {
    name: `segment ${parent.metadata.name}`,
    first: vnis.first,
    size: vnis.size,
    prefix: subnet,
  };
}

/** A segment's ports after those that are wanted, by what its Allocation says of them. */
export function settledPorts(
  spec: AllocationSpec | undefined,
  wanted: {
    readonly segment: string;
    readonly subnet: string;
    readonly firstIncarnation: number;
    readonly ports: readonly WantedPort[];
  },
): SettledPorts {
  const before: PortLedger =
    spec?.ports === undefined
      ? newPortLedger(wanted.firstIncarnation)
      : { serial: spec.serial, ports: spec.ports, communities: spec.communities ?? {} };
  const after = planPorts(before, wanted.ports, wanted);
  return { ...after, changed: after !== before };
}
