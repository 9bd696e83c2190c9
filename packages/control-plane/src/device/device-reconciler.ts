import { isDeepStrictEqual } from 'node:util';
import { type Clock, isTaplineError, type Log, type Rng } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import {
  createReconciler,
  type Outcome,
  type Reconciler,
  type ReconcileMetrics,
  watch,
} from '@tapline/reconcile';
import { deviceResource } from '@tapline/resources';
import type { Informers } from '../informers.ts';
import { deviceConditions } from './device-conditions.ts';

/** Keeps a device's conditions true to its presence, which the gateway writes. */
export function createDeviceReconciler(init: {
  readonly client: ResourceClient;
  readonly informers: Pick<Informers, 'devices'>;
  readonly metrics: ReconcileMetrics;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}): Reconciler {
  const { client, clock, informers } = init;
  async function reconcile(
    key: string,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Outcome> {
    const device = informers.devices.get(key);
    if (device === undefined) return { done: true };
    const conditions = deviceConditions(device, clock.now());
    if (isDeepStrictEqual(conditions, device.status?.conditions)) return { done: true };
    try {
      const status = { ...device.status, conditions };
      const written = await client.updateStatus(deviceResource, { ...device, status }, { signal });
      informers.devices.observe(written);
    } catch (error) {
      // The gateway wrote meanwhile; its event brings the device here again.
      if (!isTaplineError(error, 'conflict') && !isTaplineError(error, 'not_found')) throw error;
    }
    return { done: true };
  }
  return createReconciler({
    name: 'device',
    clock,
    rng: init.rng,
    log: init.log,
    metrics: init.metrics,
    concurrency: 16,
    watches: [
      watch(informers.devices, (change, enqueue) => {
        if (change.kind !== 'deleted') enqueue(change.object.metadata.name);
      }),
    ],
    reconcile,
  });
}
