import { isDeepStrictEqual } from 'node:util';
import { isTaplineError } from '@tapline/base';
import {
  createReconciler,
  type Enqueue,
  type Outcome,
  type Reconciler,
  watch,
} from '@tapline/reconcile';
import { nodeResource } from '@tapline/resources';
import type { ReconcilerParts } from '../reconciler-parts.ts';
import type { Informers } from '../informers.ts';
import { defaultFabric, fabricAllocation } from '../segment/allocation-name.ts';
import type { AllocationWriter } from '../segment/allocation-writer.ts';
import { planKeys } from './plan-keys.ts';

/**
 * Gives each node its key ring: whose public keys and wrapped keys it needs, and which epoch is in
 * use. It never has a key that opens anything.
 */
export function createKeyReconciler(
  init: ReconcilerParts & {
    readonly informers: Pick<Informers, 'attachments' | 'nodes' | 'devices' | 'allocations'>;
    readonly allocations: AllocationWriter;
    readonly rotationMs: number;
  },
): Reconciler {
  const { client, informers, allocations, rotationMs, clock } = init;

  function fabricOf(name: string): string {
    return informers.nodes.get(name)?.spec.fabric ?? defaultFabric;
  }

  async function reconcile(
    fabric: string,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Outcome> {
    const name = fabricAllocation(fabric);
    const nodes = informers.nodes
      .list()
      .filter(({ metadata }) => fabricOf(metadata.name) === fabric);
    const { keys, rings, requeueAfterMs } = planKeys({
      keys: informers.allocations.get(name)?.spec.keys,
      nodes,
      attachments: informers.attachments
        .list()
        .filter(({ spec }) => fabricOf(spec.node) === fabric),
      isOnline: (node) => informers.devices.get(node)?.status?.presence?.connected === true,
      rotationMs,
      nowMs: clock.now(),
    });
    if (keys === undefined) return { done: true };
    // On disk before any node hears of it: no restart goes back.
    await allocations.change(name, (spec) =>
      (spec.keys?.step ?? -1) >= keys.step ? spec : { ...spec, keys },
    );
    await Promise.all(
      nodes.map(async ({ metadata, status }) => {
        const keyring = rings.get(metadata.name);
        if (keyring === undefined || isDeepStrictEqual(keyring, status?.keyring)) return;
        try {
          const patch = { kind: 'merge', body: { status: { keyring } } } as const;
          const options = { subresource: 'status', signal } as const;
          informers.nodes.observe(await client.patch(nodeResource, metadata.name, patch, options));
        } catch (error) {
          if (!isTaplineError(error, 'not_found')) throw error;
        }
      }),
    );
    return requeueAfterMs === undefined ? { requeueAfterMs: 1 } : { requeueAfterMs };
  }

  function enqueueOf(node: string, enqueue: Enqueue): void {
    enqueue(fabricOf(node));
  }

  return createReconciler({
    name: 'keys',
    clock,
    rng: init.rng,
    log: init.log,
    metrics: init.metrics,
    watches: [
      watch(informers.attachments, ({ object }, enqueue) => {
        const { underlay, link } = object.spec.encryption;
        if (underlay === 'ipsec' || link === 'macsec') enqueueOf(object.spec.node, enqueue);
      }),
      watch(informers.nodes, ({ object }, enqueue) => {
        if (object.status?.keys !== undefined) enqueueOf(object.metadata.name, enqueue);
      }),
      watch(informers.devices, ({ object }, enqueue) => {
        if (informers.nodes.get(object.metadata.name)?.status?.keys === undefined) return;
        enqueueOf(object.metadata.name, enqueue);
      }),
    ],
    reconcile,
  });
}
