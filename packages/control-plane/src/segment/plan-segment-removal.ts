import type { SegmentObservation, SegmentPlan } from './plan-segment.ts';
import { segmentFinalizer } from './plan-segment.ts';
import { segmentStatus } from './segment-status.ts';
import type { SegmentStep } from './segment-step.ts';
import { leaseOf } from './segment-ledger.ts';
import { segmentAllocation } from './allocation-name.ts';

/** Attachments first, then the numbers go into quarantine, then the segment. */
export function planSegmentRemoval(observed: SegmentObservation): SegmentPlan {
  const { segment, children, attachments, allocation, lessor } = observed;
  const { name, finalizers = [] } = segment.metadata;
  const status = segmentStatus(observed, { lease: leaseOf(segment, lessor) });
  if (!finalizers.includes(segmentFinalizer)) return { steps: [], waiting: [], status };
  if (children.length > 0) {
    const names = children.map(({ metadata }) => metadata.name).toSorted();
    const why = 'they have their numbers from it; delete them first';
    return { steps: [], waiting: [{ what: `segments ${names.join(', ')}`, why }], status };
  }
  if (attachments.length > 0) {
    const going = attachments.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const steps = going.map(({ metadata }): SegmentStep => ({
      kind: 'delete-attachment',
      name: metadata.name,
      why: `segment ${name} is being deleted`,
    }));
    return { steps, waiting: [], status };
  }
  if (leaseOf(segment, lessor) !== undefined && lessor !== undefined) {
    const { name: from } = lessor.metadata;
    const step: SegmentStep = { kind: 'end-lease', from, until: quarantineEnd(observed) };
    return { steps: [step], waiting: [], status };
  }
  if (allocation !== undefined) {
    const step: SegmentStep = { kind: 'delete-allocation', name: segmentAllocation(name) };
    return { steps: [step], waiting: [], status };
  }
  return { steps: [{ kind: 'remove-finalizer' }], waiting: [], status };
}

/** Not before that of any child: its numbers are among these. */
function quarantineEnd({ segment, allocation, nowMs }: SegmentObservation): string {
  const ends = (allocation?.spec.leases ?? []).map(({ until }) => Date.parse(until ?? ''));
  const own = nowMs + segment.spec.quarantineSeconds * 1000;
  return new Date(Math.max(own, ...ends.filter((end) => !Number.isNaN(end)))).toISOString();
}
