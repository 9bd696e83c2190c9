import { isDeepStrictEqual } from 'node:util';
import { createReconciler, type Outcome, type Reconciler, watch } from '@tapline/reconcile';
import { deviceResource } from '@tapline/resources';
import { isLostRace } from '../is-lost-race.ts';
import type { ReconcilerParts } from '../reconciler-parts.ts';
import type { Informers } from '../informers.ts';
import { deviceConditions } from './device-conditions.ts';

/** Keeps a device's conditions true to its presence, which the gateway writes. */
export function createDeviceReconciler(
  init: ReconcilerParts & {
    readonly informers: Pick<Informers, 'devices'>;
  },
): Reconciler {
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
      if (!isLostRace(error)) throw error;
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
