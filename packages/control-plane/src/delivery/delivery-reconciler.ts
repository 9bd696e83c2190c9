import { isDeepStrictEqual } from 'node:util';
import {
  createReconciler,
  type EventRecorder,
  type Explanation,
  explainPlan,
  type Outcome,
  type Reconciler,
  watch,
  type Change,
  type Enqueue,
} from '@tapline/reconcile';
import {
  type Delivery,
  deliveryResource,
  type Device,
  findCondition,
  formulaObjectName,
  type Install,
  matchesSelector,
} from '@tapline/resources';
import type { Span } from '@tapline/telemetry';
import { isLostRace } from '../is-lost-race.ts';
import type { ReconcilerParts } from '../reconciler-parts.ts';
import type { Informers } from '../informers.ts';
import type { StageMetrics } from '../stage-metrics.ts';
import { deliverySpans, installSpans } from '../telemetry/delivery-traces.ts';
import { createCoalescing } from './coalescing.ts';
import { describeDeliveryStep } from './delivery-step.ts';
import { executeStep } from './execute-step.ts';
import { createNotificationTimes } from './notification-times.ts';
import { observeDelivery } from './observe-delivery.ts';
import { type DeliveryPlan, planDelivery } from './plan-delivery.ts';

export interface DeliveryReconcilerInit extends ReconcilerParts {
  readonly informers: Informers;
  readonly events: EventRecorder;
  readonly stageMetrics: StageMetrics;
  readonly packageMaxAgeMs: number;
  /** Where the trace of a delivery goes. */
  readonly onSpans?: ((spans: readonly Span[]) => void) | undefined;
}

export interface DeliveryReconciler extends Reconciler {
  /** What the next pass would do; undefined where there is no such delivery. */
  explain(name: string): Explanation | undefined;
}

/** Reports of a fleet that come within this time of a pass share the next one. */
const coalesceMs = 50;
/** After a race the event that tells about it is on its way; this is only for when it is not. */
const raceRetryMs = 20;

export function createDeliveryReconciler(init: DeliveryReconcilerInit): DeliveryReconciler {
  const { client, informers, clock, stageMetrics } = init;
  const coalescing = createCoalescing(clock, coalesceMs);
  const notifications = createNotificationTimes(clock);

  function plan(delivery: Delivery): DeliveryPlan {
    return planDelivery({
      ...observeDelivery(delivery, informers),
      notifiedSeconds: (install) => notifications.secondsOf(install),
      packageMaxAgeMs: init.packageMaxAgeMs,
      nowMs: clock.now(),
    });
  }

  async function reconcile(
    key: string,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Outcome> {
    const delivery = informers.deliveries.get(key);
    // Once it is being deleted its Installs are the garbage collector's.
    if (delivery === undefined || delivery.metadata.deletionTimestamp !== undefined) {
      return { done: true };
    }
    coalescing.passed(key);
    const nowMs = clock.now();
    const planned = plan(delivery);
    const execution = { client, informers, notifications, delivery, plan: planned, nowMs, signal };
    // All at once, the status too: the store commits them together, with one sync of the disk.
    const outcomes = await Promise.allSettled([
      ...planned.steps.map((step) => executeStep(step, execution)),
      writeStatus(delivery, planned, signal),
    ]);
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    const raced = outcomes.some(
      (outcome) => outcome.status === 'fulfilled' && outcome.value === 'raced',
    );
    if (raced) return { requeueAfterMs: raceRetryMs };
    const { requeueAfterMs } = planned;
    return requeueAfterMs === undefined ? { done: true } : { requeueAfterMs };
  }

  async function writeStatus(
    delivery: Delivery,
    { status }: DeliveryPlan,
    signal: AbortSignal,
  ): Promise<'done' | 'raced'> {
    if (isDeepStrictEqual(status, delivery.status)) return 'done';
    try {
      const written = await client.updateStatus(
        deliveryResource,
        { ...delivery, status },
        { signal },
      );
      informers.deliveries.observe(written);
      report(delivery, written);
      return 'done';
    } catch (error) {
      if (isLostRace(error)) return 'raced';
      throw error;
    }
  }

  function report(before: Delivery, after: Delivery): void {
    const { completedAt } = after.status ?? {};
    if (completedAt !== undefined && completedAt !== before.status?.completedAt) {
      init.onSpans?.(deliverySpans(after));
    }
    const condition = findCondition(after.status?.conditions, 'Ready');
    const last = findCondition(before.status?.conditions, 'Ready');
    if (condition === undefined || condition.reason === last?.reason) return;
    const degraded = findCondition(after.status?.conditions, 'Degraded')?.status === 'True';
    const { reason, message } = condition;
    init.events.record(after, { type: degraded ? 'Warning' : 'Normal', reason, message });
  }

  function enqueueFormula(formula: string, enqueue: Enqueue): void {
    for (const { metadata } of informers.deliveries.byIndex(
      'formula',
      formulaObjectName(formula),
    )) {
      enqueue(metadata.name);
    }
  }

  function onDelivery(change: Change<Delivery>, enqueue: Enqueue): void {
    const { object } = change;
    if (change.kind === 'modified') {
      const { previous } = change;
      const isOurs =
        previous.metadata.generation === object.metadata.generation &&
        previous.metadata.deletionTimestamp === object.metadata.deletionTimestamp;
      if (isOurs) return;
      enqueue(object.metadata.name);
      // What it no longer selects, or no longer wants, others may have now.
      enqueueFormula(previous.spec.package.formula, enqueue);
    } else if (change.kind === 'added') enqueue(object.metadata.name);
    else coalescing.forget(object.metadata.name);
    enqueueFormula(object.spec.package.formula, enqueue);
  }

  function onInstall(change: Change<Install>, enqueue: Enqueue): void {
    const { object } = change;
    const { delivery, formula } = object.spec;
    if (change.kind === 'deleted') {
      notifications.forget(object.metadata.name);
      enqueueFormula(formula, enqueue);
      return;
    }
    if (change.kind === 'added' || !hasReported(change.previous, object)) return;
    const notified = notifications.observed(object);
    if (notified !== undefined) {
      stageMetrics.installReady(object, notified);
      init.onSpans?.(installSpans(object, { notifiedSeconds: notified, nowMs: clock.now() }));
    }
    const isLast = informers.installs.countByIndex('unsettled', delivery) === 0;
    enqueue(delivery, isLast ? 0 : coalescing.delayMs(delivery));
  }

  function onDevice(change: Change<Device>, enqueue: Enqueue): void {
    const { object } = change;
    const previous = change.kind === 'modified' ? change.previous : undefined;
    if (previous !== undefined && !concernsDeliveries(previous, object)) return;
    for (const { metadata, spec } of informers.deliveries.list()) {
      const selected =
        matchesSelector(spec.selector, object.metadata.labels) ||
        (previous !== undefined && matchesSelector(spec.selector, previous.metadata.labels));
      if (selected) enqueue(metadata.name, coalescing.delayMs(metadata.name));
    }
  }

  const reconciler = createReconciler({
    name: 'delivery',
    clock,
    rng: init.rng,
    log: init.log,
    metrics: init.metrics,
    concurrency: 8,
    watches: [
      watch(informers.deliveries, onDelivery),
      watch(informers.installs, onInstall),
      watch(informers.devices, onDevice),
      watch(informers.packages, ({ object }, enqueue) =>
        enqueueFormula(object.spec.formula, enqueue),
      ),
    ],
    reconcile,
  });
  return {
    ...reconciler,
    get depth() {
      return reconciler.depth;
    },
    explain(name) {
      const delivery = informers.deliveries.get(name);
      return delivery === undefined ? undefined : explainPlan(plan(delivery), describeDeliveryStep);
    },
  };
}

/** Whether the device said something that a rollout depends on, rather than a detail. */
function hasReported(before: Install, after: Install): boolean {
  return (
    before.status?.state !== after.status?.state ||
    before.status?.observedRevision !== after.status?.observedRevision ||
    before.status?.error?.code !== after.status?.error?.code
  );
}

/** Devices report storage and the like all the time; rollouts depend on these only. */
function concernsDeliveries(before: Device, after: Device): boolean {
  return (
    before.spec.platform !== after.spec.platform ||
    before.status?.presence?.connected !== after.status?.presence?.connected ||
    before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp ||
    !isDeepStrictEqual(before.metadata.labels, after.metadata.labels)
  );
}
