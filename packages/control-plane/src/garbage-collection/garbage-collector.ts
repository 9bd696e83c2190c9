import { isDeepStrictEqual } from 'node:util';
import { isTaplineError } from '@tapline/base';
import {
  type AnyObject,
  type Change,
  createReconciler,
  type Enqueue,
  type Informer,
  type Outcome,
  type Reconciler,
  watch,
} from '@tapline/reconcile';
import { apiVersionOf, type KindDefinition, type OwnerReference } from '@tapline/resources';
import { isLostRace } from '../is-lost-race.ts';
import type { ReconcilerParts } from '../reconciler-parts.ts';

/** A kind whose objects may own or be owned; found by name and by their owners' uids. */
export interface CollectedKind {
  readonly definition: KindDefinition;
  readonly informer: Informer<AnyObject, 'owner'>;
}

export interface GarbageCollectorInit extends ReconcilerParts {
  readonly kinds: readonly CollectedKind[];
}

/** Kubernetes's finalizers: the owner waits for its dependents, or lets go of them first. */
const foreground = 'foregroundDeletion';
const orphan = 'orphan';

/**
 * Removes what lost its owners, as Kubernetes's garbage collector does: in the background after the
 * owner, before it (foreground), or not at all (orphan).
 */
export function createGarbageCollector(init: GarbageCollectorInit): Reconciler {
  const { client, kinds } = init;

  async function reconcile(
    key: string,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Outcome> {
    const [plural = '', name = ''] = key.split('/', 2);
    const kind = kinds.find(({ definition }) => definition.plural === plural);
    const object = kind?.informer.get(name);
    if (kind === undefined || object === undefined) return { done: true };
    if (object.metadata.deletionTimestamp !== undefined) await finish(kind, object, signal);
    else if (await isAbandoned(object, signal)) await remove(kind, object, signal);
    return { done: true };
  }

  /** Does what the finalizers of an object that is being deleted ask for. */
  async function finish(
    kind: CollectedKind,
    object: AnyObject,
    signal: AbortSignal,
  ): Promise<void> {
    const { finalizers = [], uid = '' } = object.metadata;
    const dependents = kinds.flatMap((other) =>
      other.informer.byIndex('owner', uid).map((dependent) => ({ kind: other, dependent })),
    );
    if (finalizers.includes(orphan)) {
      await Promise.all(
        dependents.map((each) => release(each.kind, each.dependent, { uid, signal })),
      );
      await removeFinalizer(kind, object, { finalizer: orphan, signal });
    } else if (finalizers.includes(foreground)) {
      const going = dependents.filter(
        ({ dependent }) => dependent.metadata.deletionTimestamp === undefined,
      );
      await Promise.all(going.map((each) => remove(each.kind, each.dependent, signal)));
      const blocked = dependents.some(({ dependent }) => blocks(dependent, uid));
      if (!blocked) await removeFinalizer(kind, object, { finalizer: foreground, signal });
    }
  }

  async function isAbandoned({ metadata }: AnyObject, signal: AbortSignal): Promise<boolean> {
    const owners = metadata.ownerReferences ?? [];
    if (owners.length === 0) return false;
    for (const owner of owners) if (await exists(owner, signal)) return false;
    return true;
  }

  async function exists(owner: OwnerReference, signal: AbortSignal): Promise<boolean> {
    const kind = kinds.find(
      ({ definition }) =>
        definition.kind === owner.kind && apiVersionOf(definition) === owner.apiVersion,
    );
    // Of kinds that are not collected nothing is known, so nothing is removed.
    if (kind === undefined) return true;
    if (kind.informer.get(owner.name)?.metadata.uid === owner.uid) return true;
    try {
      // The cache may lag behind an owner that was made a moment ago: only the API is believed.
      const found: AnyObject = await client.get(kind.definition, owner.name, { signal });
      return found.metadata.uid === owner.uid;
    } catch (error) {
      if (isTaplineError(error, 'not_found')) return false;
      throw error;
    }
  }

  async function remove(
    kind: CollectedKind,
    object: AnyObject,
    signal: AbortSignal,
  ): Promise<void> {
    const { name, uid } = object.metadata;
    try {
      await client.delete(kind.definition, name, { signal, ...(uid === undefined ? {} : { uid }) });
    } catch (error) {
      if (!isLostRace(error)) throw error;
    }
  }

  async function release(
    kind: CollectedKind,
    object: AnyObject,
    options: { readonly uid: string; readonly signal: AbortSignal },
  ): Promise<void> {
    const { name, resourceVersion, ownerReferences = [] } = object.metadata;
    const remaining = ownerReferences.filter(({ uid }) => uid !== options.uid);
    await patchMetadata(kind, name, {
      metadata: { resourceVersion, ownerReferences: remaining },
      signal: options.signal,
    });
  }

  async function removeFinalizer(
    kind: CollectedKind,
    object: AnyObject,
    options: { readonly finalizer: string; readonly signal: AbortSignal },
  ): Promise<void> {
    const { name, resourceVersion, finalizers = [] } = object.metadata;
    const remaining = finalizers.filter((finalizer) => finalizer !== options.finalizer);
    await patchMetadata(kind, name, {
      metadata: { resourceVersion, finalizers: remaining },
      signal: options.signal,
    });
  }

  /** A conflict is thrown, and retried from what the next event brings. */
  async function patchMetadata(
    kind: CollectedKind,
    name: string,
    change: { readonly metadata: unknown; readonly signal: AbortSignal },
  ): Promise<void> {
    const { metadata, signal } = change;
    try {
      await client.patch(kind.definition, name, { kind: 'merge', body: { metadata } }, { signal });
    } catch (error) {
      if (!isTaplineError(error, 'not_found')) throw error;
    }
  }

  function onChange(plural: string, change: Change<AnyObject>, enqueue: Enqueue): void {
    const { metadata } = change.object;
    if (change.kind === 'deleted') {
      for (const other of kinds) {
        for (const dependent of other.informer.byIndex('owner', metadata.uid ?? '')) {
          enqueue(`${other.definition.plural}/${dependent.metadata.name}`);
        }
      }
      // An owner may be waiting for this one.
      for (const owner of metadata.ownerReferences ?? []) {
        const kind = kinds.find(({ definition }) => definition.kind === owner.kind);
        if (kind !== undefined) enqueue(`${kind.definition.plural}/${owner.name}`);
      }
      return;
    }
    const isNews =
      change.kind === 'added' ||
      change.previous.metadata.deletionTimestamp !== metadata.deletionTimestamp ||
      !isDeepStrictEqual(change.previous.metadata.ownerReferences, metadata.ownerReferences);
    const matters =
      metadata.deletionTimestamp !== undefined || (metadata.ownerReferences ?? []).length > 0;
    if (isNews && matters) enqueue(`${plural}/${metadata.name}`);
  }

  return createReconciler({
    name: 'garbage-collector',
    clock: init.clock,
    rng: init.rng,
    log: init.log,
    metrics: init.metrics,
    concurrency: 32,
    watches: kinds.map(({ definition, informer }) =>
      watch(informer, (change, enqueue) => onChange(definition.plural, change, enqueue)),
    ),
    reconcile,
  });
}

function blocks(dependent: AnyObject, uid: string): boolean {
  return (dependent.metadata.ownerReferences ?? []).some(
    (owner) => owner.uid === uid && owner.blockOwnerDeletion === true,
  );
}
