import type { ObjectOf } from '@tapline/client';
import {
  createReconciler,
  type Informer,
  objectKey,
  type Outcome,
  type Reconciler,
  watch,
} from '@tapline/reconcile';
import type { KindDefinition } from '@tapline/resources';
import { isLostRace } from './is-lost-race.ts';
import type { ReconcilerParts } from './reconciler-parts.ts';

export interface ExpiryReconcilerInit<D extends KindDefinition> extends ReconcilerParts {
  readonly name: string;
  readonly definition: D;
  readonly informer: Informer<ObjectOf<D>>;
  /** When an object is to be removed, in ms since the Unix epoch; undefined: never. */
  readonly expiresMs: (object: ObjectOf<D>) => number | undefined;
}

/** Removes objects of a kind whose time is over. */
export function createExpiryReconciler<D extends KindDefinition>(
  init: ExpiryReconcilerInit<D>,
): Reconciler {
  const { client, clock, definition, informer } = init;
  async function reconcile(
    key: string,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Outcome> {
    const object = informer.get(key);
    const expiresMs = object === undefined ? undefined : init.expiresMs(object);
    if (object === undefined || expiresMs === undefined) return { done: true };
    const leftMs = expiresMs - clock.now();
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    const { name, namespace, uid, resourceVersion } = object.metadata;
    try {
      await client.delete(definition, name, {
        signal,
        ...(namespace === undefined ? {} : { namespace }),
        ...(uid === undefined ? {} : { uid }),
        // It may have been given more time since.
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      });
    } catch (error) {
      if (!isLostRace(error)) throw error;
    }
    return { done: true };
  }
  return createReconciler({
    name: init.name,
    clock,
    rng: init.rng,
    log: init.log,
    metrics: init.metrics,
    watches: [
      watch(informer, (change, enqueue) => {
        if (change.kind !== 'deleted') enqueue(objectKey(change.object.metadata));
      }),
    ],
    reconcile,
  });
}
