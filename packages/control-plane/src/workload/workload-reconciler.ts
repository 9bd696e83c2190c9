import { isDeepStrictEqual } from 'node:util';
import { isTaplineError } from '@tapline/base';
import {
  type Change,
  createReconciler,
  type Enqueue,
  type Outcome,
  type Reconciler,
  watch,
} from '@tapline/reconcile';
import {
  channelWorkloadName,
  deliveryResource,
  type Device,
  deviceResource,
  type Workload,
  workloadLabel,
  workloadResource,
} from '@tapline/resources';
import type { ReconcilerParts } from '../reconciler-parts.ts';
import type { Informers } from '../informers.ts';
import {
  deliveryOfWorkload,
  workloadDeliveryName,
  workloadOfDelivery,
  workloadTemplateAnnotation,
} from './delivery-of-workload.ts';
import { workloadsOn } from './placement-nodes.ts';
import { planWorkload, type WorkloadStep } from './plan-workload.ts';

/**
 * Keeps workloads on nodes: places them by labels of Devices, and has a Delivery bring them there.
 * One pass at a time, so that two workloads never take the same room.
 */
export function createWorkloadReconciler(
  init: ReconcilerParts & {
    readonly informers: Informers;
  },
): Reconciler {
  const { client, clock, informers } = init;

  async function reconcile(
    key: string,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Outcome> {
    const workload = informers.workloads.get(key);
    if (workload === undefined || workload.metadata.deletionTimestamp !== undefined) {
      await withdrawAll(key, signal);
      return { done: true };
    }
    const delivery = informers.deliveries.get(workloadDeliveryName(key));
    const { status, steps, isServing, requeueAfterMs } = planWorkload(workload, {
      devices: informers.devices.list(),
      node: (name) => informers.nodes.get(name),
      workloads: informers.workloads.list(),
      install: (name) => informers.installs.get(name),
      segment: (name) => informers.segments.get(name),
      channelEdge: (name) => informers.channelEdges.get(name),
      delivery,
      nowMs: clock.now(),
    });
    try {
      // First the epochs, then whom they are given to, then what is brought there.
      if (!isDeepStrictEqual(status, workload.status)) {
        informers.workloads.observe(
          await client.updateStatus(workloadResource, { ...workload, status }, { signal }),
        );
      }
      for (const step of steps) await execute(key, step, signal);
      // An engine is brought to nodes by what it is of.
      if (workload.spec.engine === undefined) await deliver(workload, isServing, signal);
    } catch (error) {
      const raced = ['conflict', 'already_exists', 'not_found'];
      if (!raced.some((code) => isTaplineError(error, code))) throw error;
      return { requeueAfterMs: 20 };
    }
    return requeueAfterMs === undefined ? { done: true } : { requeueAfterMs };
  }

  async function execute(workload: string, step: WorkloadStep, signal: AbortSignal): Promise<void> {
    const value = step.kind === 'place' ? String(step.epoch) : null;
    await label(step.node, { workload, value, signal });
  }

  async function label(
    device: string,
    change: {
      readonly workload: string;
      readonly value: string | null;
      readonly signal: AbortSignal;
    },
  ): Promise<void> {
    const body = { metadata: { labels: { [workloadLabel(change.workload)]: change.value } } };
    const patch = { kind: 'merge', body } as const;
    const { signal } = change;
    informers.devices.observe(await client.patch(deviceResource, device, patch, { signal }));
  }

  /** A workload that is gone leaves no label behind; its Delivery is the garbage collector's. */
  async function withdrawAll(workload: string, signal: AbortSignal): Promise<void> {
    for (const device of informers.devices.list()) {
      if (!workloadsOn(device).includes(workload)) continue;
      try {
        await label(device.metadata.name, { workload, value: null, signal });
      } catch (error) {
        if (!isTaplineError(error, 'not_found')) throw error;
      }
    }
  }

  async function deliver(
    workload: Workload,
    isServing: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const wanted = deliveryOfWorkload(workload, { isServing });
    if (wanted === undefined) return;
    const { name, annotations } = wanted.metadata;
    const found = informers.deliveries.get(name);
    if (found === undefined) {
      informers.deliveries.observe(await client.create(deliveryResource, wanted, { signal }));
      return;
    }
    const template = annotations[workloadTemplateAnnotation];
    if (found.metadata.annotations?.[workloadTemplateAnnotation] === template) return;
    const updated = {
      ...found,
      metadata: {
        ...found.metadata,
        annotations: { ...found.metadata.annotations, ...annotations },
      },
      spec: { ...wanted.spec, rollout: found.spec.rollout },
    };
    informers.deliveries.observe(await client.update(deliveryResource, updated, { signal }));
  }

  function all(enqueue: Enqueue): void {
    for (const { metadata } of informers.workloads.list()) enqueue(metadata.name);
  }

  function onDevice(change: Change<Device>, enqueue: Enqueue): void {
    const { object } = change;
    // Also of workloads that are gone: their labels have to go, too.
    for (const name of workloadsOn(object)) enqueue(name);
    if (object.spec.role !== 'node') return;
    const before = change.kind === 'modified' ? change.previous : undefined;
    const same =
      before !== undefined &&
      before.status?.presence?.connected === object.status?.presence?.connected &&
      isDeepStrictEqual(before.metadata.labels, object.metadata.labels) &&
      before.metadata.deletionTimestamp === object.metadata.deletionTimestamp;
    if (!same) all(enqueue);
  }

  return createReconciler({
    name: 'workload',
    clock,
    rng: init.rng,
    log: init.log,
    metrics: init.metrics,
    concurrency: 1,
    watches: [
      watch(informers.workloads, ({ object, kind }, enqueue) => {
        enqueue(object.metadata.name);
        // What it had is free now.
        if (kind === 'deleted') all(enqueue);
      }),
      watch(informers.devices, onDevice),
      watch(informers.nodes, (_change, enqueue) => {
        all(enqueue);
      }),
      watch(informers.segments, ({ object }, enqueue) => {
        for (const { metadata, spec } of informers.workloads.list()) {
          if (spec.segment?.name === object.metadata.name) enqueue(metadata.name);
        }
      }),
      watch(informers.deliveries, ({ object }, enqueue) => {
        const name = workloadOfDelivery(object.metadata.name);
        if (name !== undefined) enqueue(name);
      }),
      watch(informers.channelEdges, ({ object }, enqueue) => {
        enqueue(channelWorkloadName(object.spec.channel));
      }),
      watch(informers.installs, ({ object, kind }, enqueue) => {
        const name = workloadOfDelivery(object.spec.delivery);
        if (name !== undefined) enqueue(name);
        else if (kind === 'deleted') all(enqueue);
      }),
    ],
    reconcile,
  });
}
