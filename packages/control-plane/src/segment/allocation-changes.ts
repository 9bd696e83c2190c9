import { TaplineError } from '@tapline/base';
import type { AllocationSpec, Segment } from '@tapline/resources';
import { grantLeases } from '@tapline/segments';
import type { SegmentObservation } from './plan-segment.ts';
import { settledPorts } from './segment-ledger.ts';
import type { SegmentStep } from './segment-step.ts';

/** With the lease of a step. Throws `lease_raced` where somebody else was faster. */
export function leased(
  spec: AllocationSpec,
  { request, pool }: Extract<SegmentStep, { kind: 'lease' }>,
  { foreign, nowMs }: Pick<SegmentObservation, 'foreign' | 'nowMs'>,
): AllocationSpec {
  const before = { serial: spec.serial, leases: spec.leases ?? [] };
  const { ledger, outcomes } = grantLeases(before, [request], { pool, foreign, nowMs });
  const outcome = outcomes.get(request.uid);
  if (outcome?.kind === 'refused') {
    // Somebody else was faster: the next plan says so in the status.
    throw new TaplineError('lease_raced', outcome.message);
  }
  return ledger === before ? spec : { ...spec, serial: ledger.serial, leases: [...ledger.leases] };
}

/** With the ports, and where it is one the epoch, of a step. */
export function settled(
  spec: AllocationSpec,
  step: Extract<SegmentStep, { kind: 'settle' }>,
  segment: Segment,
): AllocationSpec {
  const ledger = settledPorts(spec, { ...step, segment: segment.metadata.name });
  return {
    ...spec,
    serial: ledger.serial,
    ports: [...ledger.ports],
    communities: { ...ledger.communities },
    epoch: (spec.epoch ?? 0) + (step.newEpoch ? 1 : 0),
  };
}
