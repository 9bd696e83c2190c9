import { isDeepStrictEqual } from 'node:util';
import { isTaplineError } from '@tapline/base';
import { createReconciler, type Outcome, type Reconciler, watch } from '@tapline/reconcile';
import {
  type Channel,
  channelEdgeName,
  channelEdgeResource,
  channelResource,
  channelWorkloadName,
  workloadResource,
} from '@tapline/resources';
import type { Span } from '@tapline/telemetry';
import type { ReconcilerParts } from '../reconciler-parts.ts';
import { ownerReference } from '../garbage-collection/owner-reference.ts';
import type { Informers } from '../informers.ts';
import type { StageMetrics } from '../stage-metrics.ts';
import { channelSpans } from '../telemetry/channel-traces.ts';
import { type ChannelStep, planChannel } from './plan-channel.ts';
import { channelOfWorkload, isOwnWorkload, workloadOfChannel } from './workload-of-channel.ts';

const notYetMs = 50;

/**
 * Brings channels to nodes: a Workload says on which, a ChannelEdge each says what to serve there.
 * What they report is how far the channel is.
 */
export function createChannelReconciler(
  init: ReconcilerParts & {
    readonly informers: Informers;
    readonly stageMetrics: StageMetrics;
    readonly onSpans?: ((spans: readonly Span[]) => void) | undefined;
  },
): Reconciler {
  const { client, clock, informers } = init;

  async function reconcile(
    key: string,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Outcome> {
    const channel = informers.channels.get(key);
    if (channel === undefined || channel.metadata.deletionTimestamp !== undefined) {
      // Workload and edges are the garbage collector's.
      return { done: true };
    }
    try {
      const ready = await placed(channel, signal);
      const { status, steps, requeueAfterMs } = planChannel(channel, {
        workload: ready ? informers.workloads.get(channelWorkloadName(key)) : undefined,
        edges: informers.channelEdges
          .byIndex('channel', key)
          .filter(({ metadata }) => isOwnedBy(metadata.ownerReferences, channel)),
        segment:
          channel.spec.segment === undefined
            ? undefined
            : informers.segments.get(channel.spec.segment),
        attachment: (name) => informers.attachments.get(name),
        device: (name) => informers.devices.get(name),
        node: (name) => informers.nodes.get(name),
        nowMs: clock.now(),
      });
      for (const step of steps) await execute(channel, step, signal);
      if (!isDeepStrictEqual(status, channel.status)) {
        informers.channels.observe(
          await client.updateStatus(channelResource, { ...channel, status }, { signal }),
        );
        const { total } = status.stages ?? {};
        if (total !== undefined && channel.status?.stages?.['total'] === undefined) {
          init.stageMetrics.channelReady(status.stages ?? {});
          init.onSpans?.(channelSpans({ ...channel, status }));
        }
      }
      if (!ready) return { requeueAfterMs: notYetMs };
      return requeueAfterMs === undefined ? { done: true } : { requeueAfterMs };
    } catch (error) {
      const raced = ['conflict', 'already_exists', 'not_found'];
      if (!raced.some((code) => isTaplineError(error, code))) throw error;
      return { requeueAfterMs: notYetMs };
    }
  }

  /** Has its Workload be there, as it is wanted; false while that of one before it goes. */
  async function placed(channel: Channel, signal: AbortSignal): Promise<boolean> {
    const wanted = workloadOfChannel(channel);
    const found = informers.workloads.get(channelWorkloadName(channel.metadata.name));
    if (found === undefined) {
      informers.workloads.observe(await client.create(workloadResource, wanted, { signal }));
      return true;
    }
    if (!isOwnWorkload(found, channel) || found.metadata.deletionTimestamp !== undefined) {
      return false;
    }
    if (!isDeepStrictEqual(found.spec, wanted.spec)) {
      const updated = { ...found, spec: wanted.spec };
      informers.workloads.observe(await client.update(workloadResource, updated, { signal }));
    }
    return true;
  }

  async function execute(channel: Channel, step: ChannelStep, signal: AbortSignal): Promise<void> {
    const { name } = channel.metadata;
    if (step.kind === 'delete-edge') {
      await client.delete(channelEdgeResource, channelEdgeName(step.node, name), { signal });
      return;
    }
    const edgeName = channelEdgeName(step.spec.node, name);
    const found = informers.channelEdges.get(edgeName);
    if (found === undefined) {
      const metadata = {
        name: edgeName,
        ownerReferences: [ownerReference(channelResource, channel)],
      };
      const body = { metadata, spec: step.spec };
      informers.channelEdges.observe(await client.create(channelEdgeResource, body, { signal }));
      return;
    }
    informers.channelEdges.observe(
      await client.update(channelEdgeResource, { ...found, spec: step.spec }, { signal }),
    );
  }

  function on(node: string, enqueue: (name: string) => void): void {
    for (const { spec } of informers.channelEdges.byIndex('node', node)) enqueue(spec.channel);
  }

  return createReconciler({
    name: 'channel',
    clock,
    rng: init.rng,
    log: init.log,
    metrics: init.metrics,
    watches: [
      watch(informers.channels, ({ object }, enqueue) => {
        enqueue(object.metadata.name);
      }),
      watch(informers.workloads, ({ object }, enqueue) => {
        const name = channelOfWorkload(object.metadata.name);
        if (name !== undefined) enqueue(name);
      }),
      watch(informers.channelEdges, ({ object }, enqueue) => {
        enqueue(object.spec.channel);
      }),
      watch(informers.devices, (change, enqueue) => {
        const before = change.kind === 'modified' ? change.previous : undefined;
        const { object } = change;
        const connected = object.status?.presence?.connected;
        if (before?.status?.presence?.connected !== connected) on(object.metadata.name, enqueue);
      }),
      watch(informers.attachments, ({ object }, enqueue) => {
        for (const { metadata, spec } of informers.channels.list()) {
          if (spec.segment === object.spec.segment) enqueue(metadata.name);
        }
      }),
      watch(informers.segments, ({ object }, enqueue) => {
        for (const { metadata, spec } of informers.channels.list()) {
          if (spec.segment === object.metadata.name) enqueue(metadata.name);
        }
      }),
    ],
    reconcile,
  });
}

function isOwnedBy(
  owners: readonly { readonly uid: string }[] | undefined,
  { metadata: { uid } }: Channel,
): boolean {
  return owners?.some((owner) => owner.uid === uid) === true;
}
