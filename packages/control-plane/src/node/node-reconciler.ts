import { isDeepStrictEqual } from 'node:util';
import { isTaplineError, TaplineError } from '@tapline/base';
import { createReconciler, type Outcome, type Reconciler, watch } from '@tapline/reconcile';
import { deviceResource, type Node, nodeResource } from '@tapline/resources';
import { isLostRace } from '../is-lost-race.ts';
import type { ReconcilerParts } from '../reconciler-parts.ts';
import { ownerReference } from '../garbage-collection/owner-reference.ts';
import type { Informers } from '../informers.ts';
import { defaultFabric, fabricAllocation } from '../segment/allocation-name.ts';
import type { AllocationWriter } from '../segment/allocation-writer.ts';
import { nodeConditions } from './node-conditions.ts';
import { leaseVtep } from './lease-vtep.ts';

/**
 * Gives each device whose role is node a Node, and each Node its VTEP and its conditions. Its agent
 * writes what it found; what depends on other nodes is written here.
 */
export function createNodeReconciler(
  init: ReconcilerParts & {
    readonly informers: Pick<Informers, 'devices' | 'nodes' | 'allocations'>;
    readonly allocations: AllocationWriter;
    /** Out of which nodes get their addresses inside the encrypted underlay. */
    readonly vtepPrefix: string;
  },
): Reconciler {
  const { client, clock, informers, allocations, vtepPrefix } = init;

  async function reconcile(
    key: string,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Outcome> {
    const device = informers.devices.get(key);
    const node = informers.nodes.get(key);
    const isNode = device?.spec.role === 'node' && device.metadata.deletionTimestamp === undefined;
    if (!isNode) {
      if (node === undefined && device === undefined) await release(key);
      return { done: true };
    }
    if (node === undefined) {
      try {
        const created = await client.create(
          nodeResource,
          {
            metadata: { name: key, ownerReferences: [ownerReference(deviceResource, device)] },
            spec: { device: key },
          },
          { signal },
        );
        informers.nodes.observe(created);
      } catch (error) {
        if (!isTaplineError(error, 'already_exists')) throw error;
      }
      return { requeueAfterMs: 1 };
    }
    return await settle(node, signal);
  }

  async function settle(node: Node, signal: AbortSignal): Promise<Outcome> {
    const { name } = node.metadata;
    const fabric = node.spec.fabric ?? defaultFabric;
    let vtep: string | undefined;
    let problem: TaplineError | undefined;
    try {
      const { vteps = [] } = await allocations.change(fabricAllocation(fabric), (spec) =>
        leaseVtep(spec, { node: name, prefix: vtepPrefix, nodes: informers.nodes.list() }),
      );
      vtep = vteps.find((one) => one.node === name)?.address;
    } catch (error) {
      if (!isTaplineError(error)) throw error;
      problem = error;
    }
    const conditions = nodeConditions(node, {
      device: informers.devices.get(name),
      nodes: informers.nodes.list(),
      problem,
      nowMs: clock.now(),
    });
    const same =
      node.status?.vtep === vtep && isDeepStrictEqual(node.status?.conditions, conditions);
    if (same) return { done: true };
    try {
      const { vtep: _, ...rest } = node.status ?? {};
      const status = { ...rest, ...(vtep === undefined ? {} : { vtep }), conditions };
      informers.nodes.observe(
        await client.updateStatus(nodeResource, { ...node, status }, { signal }),
      );
    } catch (error) {
      // Its agent wrote meanwhile; its event brings the node here again.
      if (!isLostRace(error)) throw error;
    }
    return { done: true };
  }

  /** Its address is another node's to have. */
  async function release(name: string): Promise<void> {
    for (const { metadata, spec } of informers.allocations.list()) {
      if (spec.vteps?.some(({ node }) => node === name) !== true) continue;
      await allocations.change(metadata.name, (current) => ({
        ...current,
        vteps: (current.vteps ?? []).filter(({ node }) => node !== name),
      }));
    }
  }

  return createReconciler({
    name: 'node',
    clock,
    rng: init.rng,
    log: init.log,
    metrics: init.metrics,
    concurrency: 8,
    watches: [
      watch(informers.devices, ({ object }, enqueue) => {
        const { name } = object.metadata;
        if (object.spec.role === 'node' || informers.nodes.get(name) !== undefined) enqueue(name);
      }),
      watch(informers.nodes, ({ object, kind }, enqueue) => {
        enqueue(object.metadata.name);
        // Who had the same address or key as this one may be alone with it now.
        for (const { metadata, status } of informers.nodes.list()) {
          const shares =
            kind !== 'added' && status?.underlay?.address === object.status?.underlay?.address;
          if (shares && metadata.name !== object.metadata.name) enqueue(metadata.name);
        }
      }),
    ],
    reconcile,
  });
}
