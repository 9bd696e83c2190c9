import { isDeepStrictEqual } from 'node:util';
import {
  type Change,
  createReconciler,
  type Enqueue,
  type EventRecorder,
  type Explanation,
  explainPlan,
  type Outcome,
  type Reconciler,
  watch,
} from '@tapline/reconcile';
import {
  type Allocation,
  type Attachment,
  type Device,
  findCondition,
  type Install,
  type Node,
  type Segment,
  segmentResource,
  type SegmentStatus,
} from '@tapline/resources';
import { isLostRace } from '../is-lost-race.ts';
import type { ReconcilerParts } from '../reconciler-parts.ts';
import { createCoalescing } from '../delivery/coalescing.ts';
import type { Informers } from '../informers.ts';
import type { StageMetrics } from '../stage-metrics.ts';
import type { AllocationWriter } from './allocation-writer.ts';
import { executeSegmentStep } from './execute-segment-step.ts';
import { observeSegment } from './observe-segment.ts';
import { planSegment, type SegmentPlan } from './plan-segment.ts';
import { stands } from './segment-status.ts';
import { describeSegmentStep } from './segment-step.ts';
import { createSegmentTimes } from './segment-times.ts';

export interface SegmentReconcilerInit extends ReconcilerParts {
  readonly informers: Informers;
  readonly allocations: AllocationWriter;
  readonly events: EventRecorder;
  readonly stageMetrics: StageMetrics;
}

export interface SegmentReconciler extends Reconciler {
  /** What the next pass would do; undefined where there is no such segment. */
  explain(name: string): Explanation | undefined;
}

/** Reports of nodes that come within this time of a pass share the next one. */
const coalesceMs = 50;
/** After a race the event that tells about it is on its way; this is only for when it is not. */
const raceRetryMs = 20;
/** From its finalizer to its attachments a segment takes five rounds, each of them on disk. */
const maxRounds = 12;

export function createSegmentReconciler(init: SegmentReconcilerInit): SegmentReconciler {
  const { client, informers, clock, stageMetrics, allocations } = init;
  const coalescing = createCoalescing(clock, coalesceMs);
  const times = createSegmentTimes(clock);

  function plan(segment: Segment): SegmentPlan {
    return planSegment({ ...observeSegment(segment, informers), times, nowMs: clock.now() });
  }

  async function reconcile(
    key: string,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Outcome> {
    coalescing.passed(key);
    for (let round = 0; round < maxRounds; round += 1) {
      const segment = informers.segments.get(key);
      if (segment === undefined) return { done: true };
      const planned = plan(segment);
      if (planned.steps.length === 0) return await finish(segment, planned, signal);
      times.accepted(key);
      const { foreign } = observeSegment(segment, informers);
      const nowMs = clock.now();
      const execution = { client, allocations, informers, segment, foreign, nowMs, signal };
      const outcomes = await Promise.allSettled(
        planned.steps.map((step) => executeSegmentStep(step, execution)),
      );
      const failure = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failure !== undefined) throw failure.reason;
      const raced = outcomes.some(
        (outcome) => outcome.status === 'fulfilled' && outcome.value === 'raced',
      );
      // What was deleted is gone when its event has come.
      const isLast = planned.steps.some(({ kind }) => kind.startsWith('delete-'));
      if (raced || isLast) return { requeueAfterMs: raceRetryMs };
      if (planned.steps.some(({ kind }) => kind === 'remove-finalizer')) return { done: true };
    }
    return { requeueAfterMs: raceRetryMs };
  }

  async function finish(
    segment: Segment,
    { status, requeueAfterMs }: SegmentPlan,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { name } = segment.metadata;
    if (status.epoch !== undefined && status.state !== 'Ready') times.written(name, status.epoch);
    if (!isDeepStrictEqual(status, segment.status)) {
      try {
        const object = { ...segment, status };
        const written = await client.updateStatus(segmentResource, object, { signal });
        informers.segments.observe(written);
        report(segment, written);
      } catch (error) {
        if (!isLostRace(error)) throw error;
        return { requeueAfterMs: raceRetryMs };
      }
    }
    if (status.state === 'Ready') {
      if (stoodUp(segment.status, status)) stageMetrics.segmentReady(status.stages ?? {});
      times.finished(name);
    }
    return requeueAfterMs === undefined ? { done: true } : { requeueAfterMs };
  }

  function report(before: Segment, after: Segment): void {
    const condition = findCondition(after.status?.conditions, 'Ready');
    const last = findCondition(before.status?.conditions, 'Ready');
    if (condition === undefined || condition.reason === last?.reason) return;
    const { state } = after.status ?? {};
    const type = state === 'Failed' || state === 'Degraded' ? 'Warning' : 'Normal';
    init.events.record(after, { type, reason: condition.reason, message: condition.message });
  }

  function enqueueAll(enqueue: Enqueue): void {
    for (const { metadata } of informers.segments.list()) {
      enqueue(metadata.name, coalescing.delayMs(metadata.name));
    }
  }

  function onSegment(change: Change<Segment>, enqueue: Enqueue): void {
    const { object } = change;
    const { name } = object.metadata;
    if (change.kind === 'deleted') {
      times.forget(name);
      coalescing.forget(name);
    }
    const previous = change.kind === 'modified' ? change.previous : undefined;
    const isWanted =
      previous?.metadata.generation !== object.metadata.generation ||
      previous?.metadata.deletionTimestamp !== object.metadata.deletionTimestamp;
    if (isWanted && change.kind !== 'deleted') enqueue(name);
    // Children wait for their parent's numbers, and a parent for its children to be gone.
    const leases = JSON.stringify([previous?.status?.vnis?.first, previous?.status?.subnet]);
    const now = JSON.stringify([object.status?.vnis?.first, object.status?.subnet]);
    if (isWanted || leases !== now) {
      for (const child of informers.segments.byIndex('parent', name)) enqueue(child.metadata.name);
      if (object.spec.parent !== undefined) enqueue(object.spec.parent, raceRetryMs);
    }
  }

  function onAttachment(change: Change<Attachment>, enqueue: Enqueue): void {
    const { spec } = change.object;
    if (change.kind === 'modified') {
      if (!hasReported(change.previous, change.object)) return;
      times.reported(change.object);
    }
    const others = informers.attachments
      .byIndex('segment', spec.segment)
      .some((one) => !stands(one));
    enqueue(spec.segment, others ? coalescing.delayMs(spec.segment) : 0);
  }

  function onDevice(change: Change<Device>, enqueue: Enqueue): void {
    const { object } = change;
    const previous = change.kind === 'modified' ? change.previous : undefined;
    if (object.spec.role !== 'node' && previous?.spec.role !== 'node') return;
    if (previous === undefined || concernsSegments(previous, object)) enqueueAll(enqueue);
  }

  function onNode(change: Change<Node>, enqueue: Enqueue): void {
    const isNews =
      change.kind !== 'modified' ||
      !isDeepStrictEqual(change.previous.spec, change.object.spec) ||
      !isDeepStrictEqual(withoutConditions(change.previous), withoutConditions(change.object));
    if (isNews) enqueueAll(enqueue);
  }

  function onInstall(change: Change<Install>, enqueue: Enqueue): void {
    const { segment } = change.object.spec;
    const previous = change.kind === 'modified' ? change.previous : undefined;
    const before = previous?.spec.segment;
    const going = change.object.metadata.deletionTimestamp;
    if (isDeepStrictEqual(before, segment) && previous?.metadata.deletionTimestamp === going)
      return;
    for (const name of new Set([before?.name, segment?.name])) {
      if (name !== undefined) enqueue(name, coalescing.delayMs(name));
    }
  }

  const reconciler = createReconciler({
    name: 'segment',
    clock,
    rng: init.rng,
    log: init.log,
    metrics: init.metrics,
    concurrency: 8,
    watches: [
      watch(informers.segments, onSegment),
      watch(informers.allocations, onAllocation),
      watch(informers.attachments, onAttachment),
      watch(informers.devices, onDevice),
      watch(informers.nodes, onNode),
      watch(informers.installs, onInstall),
    ],
    reconcile,
  });
  return {
    ...reconciler,
    get depth() {
      return reconciler.depth;
    },
    explain(name) {
      const segment = informers.segments.get(name);
      return segment === undefined ? undefined : explainPlan(plan(segment), describeSegmentStep);
    },
  };
}

/** Who has lost its numbers, as by a reallocation, gets others. */
function onAllocation(change: Change<Allocation>, enqueue: Enqueue): void {
  if (change.kind !== 'modified') return;
  const held = new Set(heldLeases(change.object).map(({ uid }) => uid));
  for (const { uid, owner } of heldLeases(change.previous)) if (!held.has(uid)) enqueue(owner);
}

function heldLeases({ spec }: Allocation): NonNullable<Allocation['spec']['leases']> {
  return (spec.leases ?? []).filter(({ until }) => until === undefined);
}

function stoodUp(before: SegmentStatus | undefined, after: SegmentStatus): boolean {
  return before?.readyAt !== after.readyAt && after.stages !== undefined;
}

function hasReported(before: Attachment, after: Attachment): boolean {
  return (
    before.spec.epoch !== after.spec.epoch ||
    before.status?.observedEpoch !== after.status?.observedEpoch ||
    before.status?.state !== after.status?.state ||
    before.status?.error?.code !== after.status?.error?.code
  );
}

function concernsSegments(before: Device, after: Device): boolean {
  return (
    before.spec.role !== after.spec.role ||
    before.status?.presence?.connected !== after.status?.presence?.connected ||
    before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp ||
    !isDeepStrictEqual(before.metadata.labels, after.metadata.labels)
  );
}

/** Of its keys only whose they are: which of them are in use is no segment's doing. */
function withoutConditions({ status }: Node): unknown {
  const { conditions: _, keyring: _ring, keys, ...rest } = status ?? {};
  return { ...rest, agreementKey: keys?.agreementKey };
}
