import { isTaplineError, TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import {
  allocationResource,
  attachmentResource,
  type Segment,
  segmentResource,
} from '@tapline/resources';
import { endLease } from '@tapline/segments';
import { ownerReference } from '../garbage-collection/owner-reference.ts';
import type { Informers } from '../informers.ts';
import { leased, settled } from './allocation-changes.ts';
import type { AllocationWriter } from './allocation-writer.ts';
import { segmentFinalizer, type SegmentObservation } from './plan-segment.ts';
import type { SegmentStep } from './segment-step.ts';

/** What executing needs. */
export interface SegmentExecution {
  readonly client: ResourceClient;
  readonly allocations: AllocationWriter;
  readonly informers: Pick<Informers, 'attachments' | 'segments'>;
  readonly segment: Segment;
  readonly foreign: SegmentObservation['foreign'];
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** Does a step; `raced` when what is stored is not what was planned on, so it takes a new plan. */
export async function executeSegmentStep(
  step: SegmentStep,
  execution: SegmentExecution,
): Promise<'done' | 'raced'> {
  try {
    await execute(step, execution);
    return 'done';
  } catch (error) {
    const isRemoval = step.kind === 'delete-attachment' || step.kind === 'delete-allocation';
    if (isRemoval && isTaplineError(error, 'not_found')) return 'done';
    const raced = ['conflict', 'already_exists', 'not_found', 'lease_raced'];
    if (raced.some((code) => isTaplineError(error, code))) return 'raced';
    throw error;
  }
}

async function execute(step: SegmentStep, execution: SegmentExecution): Promise<void> {
  const { client, allocations, informers, segment, signal } = execution;
  const { uid = '', finalizers = [] } = segment.metadata;
  switch (step.kind) {
    case 'add-finalizer':
      await setFinalizers(execution, [...finalizers, segmentFinalizer]);
      return;
    case 'remove-finalizer':
      await setFinalizers(
        execution,
        finalizers.filter((one) => one !== segmentFinalizer),
      );
      return;
    case 'open-allocation':
      await allocations.change(step.name, (spec) =>
        spec.from === step.from ? spec : { ...spec, from: step.from },
      );
      return;
    case 'lease':
      await allocations.change(step.from, (spec) => leased(spec, step, execution));
      return;
    case 'settle':
      await allocations.change(step.name, (spec) => settled(spec, step, segment));
      return;
    case 'create-attachment': {
      const created = await client.create(
        attachmentResource,
        {
          metadata: {
            name: step.name,
            labels: attachmentLabels(step.spec.segment, step.spec.node),
            ownerReferences: [ownerReference(segmentResource, segment)],
          },
          spec: step.spec,
        },
        { signal },
      );
      informers.attachments.observe(created);
      return;
    }
    case 'update-attachment': {
      const found = await client.get(attachmentResource, step.name, { signal });
      if (found.spec.epoch >= step.spec.epoch) {
        throw new TaplineError(
          'conflict',
          `attachment ${step.name} is at epoch ${found.spec.epoch}, not before ${step.spec.epoch}`,
        );
      }
      const updated = await client.update(
        attachmentResource,
        { ...found, spec: step.spec },
        { signal },
      );
      informers.attachments.observe(updated);
      return;
    }
    case 'delete-attachment':
      await client.delete(attachmentResource, step.name, { signal });
      return;
    case 'end-lease':
      await allocations.change(step.from, (spec) => {
        const before = { serial: spec.serial, leases: spec.leases ?? [] };
        const after = endLease(before, uid, { until: step.until });
        return after === before ? spec : { ...spec, leases: [...after.leases] };
      });
      return;
    case 'delete-allocation':
      await client.delete(allocationResource, step.name, { signal });
      return;
  }
}

async function setFinalizers(
  { client, informers, segment, signal }: SegmentExecution,
  finalizers: readonly string[],
): Promise<void> {
  const metadata = { ...segment.metadata, finalizers };
  const written = await client.update(segmentResource, { ...segment, metadata }, { signal });
  // The last finalizer of an object that is being deleted takes the object with it.
  const isGone = metadata.deletionTimestamp !== undefined && finalizers.length === 0;
  if (!isGone) informers.segments.observe(written);
}

/** Kubernetes: values of labels have at most 63 characters; names may be longer. */
function attachmentLabels(segment: string, node: string): Readonly<Record<string, string>> {
  const labels = { 'tapline.dev/segment': segment, 'tapline.dev/node': node };
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value.length <= 63));
}
