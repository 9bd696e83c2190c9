import { isDeepStrictEqual } from 'node:util';
import { type Clock, isTaplineError, type Rng } from '@tapline/base';
import type { ObjectMeta } from '@tapline/resources';
import type { Store } from '@tapline/store';
import type { AnyObject } from '../any-object.ts';
import { alreadyExists, badRequest, invalid, modifiedMeanwhile, notFound } from '../api-error.ts';
import { applyObject } from '../fields/apply-object.ts';
import { trackUpdate } from '../fields/track-update.ts';
import type { ObjectCache } from '../object-cache.ts';
import { storedText } from '../object-text.ts';
import type { DeleteQuery } from '../operations.ts';
import { type BodyPatch, patchedObject } from '../patch/patched-object.ts';
import { keyOf, type ServedKind } from '../served-kind.ts';
import type { StoredObject } from '../stored-object.ts';
import { decodeMetadata } from '../validate-metadata.ts';
import type { Admission } from './admission.ts';
import { finalizersFor } from './finalizers-for.ts';
import { generateName } from './generate-name.ts';
import { newObject, updatedObject } from './next-object.ts';
import { parseRevision } from './parse-revision.ts';
import { rawObject } from './raw-object.ts';
import { checkNamespace, checkPatched, checkPreconditions, checkUid } from './preconditions.ts';
import { applyScale, scaleOf } from './scale.ts';
import type { WriteContext, WriteOutcome } from './write-context.ts';
import { isLostRace } from './write-error.ts';
import { writeObject } from './write-object.ts';

export type EnginePatch =
  | BodyPatch
  | { readonly kind: 'apply'; readonly body: unknown; readonly force: boolean };

export interface EngineInit {
  readonly store: Store;
  readonly cache: ObjectCache;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly newUid: () => string;
  readonly admission: Admission;
}

const maxAttempts = 16;

/**
 * Reads and writes objects in the store by Kubernetes's rules; who may is decided before. The
 * verbs share their last step, which is why they are in one file.
 */
export class Engine {
  readonly #init: EngineInit;

  constructor(init: EngineInit) {
    this.#init = init;
  }

  get(kind: ServedKind, namespace: string | undefined, name: string): StoredObject {
    const found = this.find(kind, namespace, name);
    if (found === undefined) throw notFound(kind, name);
    return found;
  }

  find(kind: ServedKind, namespace: string | undefined, name: string): StoredObject | undefined {
    const { store, cache } = this.#init;
    const entry = store.getSync(keyOf(kind, namespace, name));
    return entry === undefined ? undefined : cache.at(kind, entry);
  }

  async create(kind: ServedKind, value: unknown, context: WriteContext): Promise<WriteOutcome> {
    const metadata = this.#newMetadata(kind, value, context);
    const generated = metadata.name === '';
    for (let attempt = 0; ; attempt += 1) {
      const name = generated
        ? generateName(metadata.generateName ?? '', this.#init.rng)
        : metadata.name;
      try {
        return await this.#create(kind, value, { ...metadata, name }, context);
      } catch (error) {
        const again = generated && isTaplineError(error, 'already_exists') && attempt < maxAttempts;
        if (!again) throw error;
      }
    }
  }

  async update(kind: ServedKind, value: unknown, context: WriteContext): Promise<WriteOutcome> {
    const raw = rawObject(kind, value);
    const metadata = decodeMetadata(kind, raw.metadata, { ...context, name: context.name ?? '' });
    const name = context.name ?? metadata.name;
    if (metadata.name !== '' && metadata.name !== name) {
      throw badRequest(
        `the name of the object (${metadata.name}) does not match the name on the URL (${name})`,
      );
    }
    checkNamespace(kind, metadata, context.namespace);
    const revision = parseRevision(metadata.resourceVersion);
    const live = this.get(kind, context.namespace, name);
    if (revision === undefined && kind.hasStatus) {
      throw invalid(kind, name, [
        {
          reason: 'FieldValueInvalid',
          message: 'Invalid value: 0: must be specified for an update',
          field: 'metadata.resourceVersion',
        },
      ]);
    }
    if (revision !== undefined && revision !== live.revision) throw modifiedMeanwhile(kind, name);
    checkUid(kind, live.object, metadata.uid);
    return this.#replace(kind, live, value, context);
  }

  /** Writes the replicas that a Scale asks for. */
  async updateScale(
    kind: ServedKind,
    name: string,
    scale: unknown,
    context: WriteContext,
  ): Promise<WriteOutcome> {
    const live = this.get(kind, context.namespace, name);
    checkPatched(kind, live, scale);
    return this.#replace(kind, live, scale, context);
  }

  async patch(
    kind: ServedKind,
    name: string,
    patch: EnginePatch,
    context: WriteContext,
  ): Promise<WriteOutcome> {
    for (let attempt = 0; ; attempt += 1) {
      const live = this.find(kind, context.namespace, name);
      try {
        if (patch.kind === 'apply') return await this.#apply(kind, name, live, patch, context);
        if (live === undefined) throw notFound(kind, name);
        const scaled = context.subresource === 'scale';
        const value = patchedObject(scaled ? scaleOf(kind, live.object) : live.object, patch);
        checkPatched(kind, live, value);
        return await this.#replace(kind, live, value, context);
      } catch (error) {
        if (!isLostRace(error)) throw error;
      }
      if (attempt >= maxAttempts) throw modifiedMeanwhile(kind, name);
    }
  }

  async delete(
    kind: ServedKind,
    name: string,
    query: DeleteQuery & { readonly dryRun: boolean },
  ): Promise<WriteOutcome> {
    for (let attempt = 0; ; attempt += 1) {
      const live = this.get(kind, query.namespace, name);
      checkPreconditions(kind, live, query);
      try {
        return await this.#delete(kind, live, query);
      } catch (error) {
        if (!isLostRace(error)) throw error;
        if (query.resourceVersion !== undefined || attempt >= maxAttempts) {
          throw modifiedMeanwhile(kind, name);
        }
      }
    }
  }

  /** The Scale (autoscaling/v1) of an object. */
  getScale(kind: ServedKind, namespace: string | undefined, name: string): AnyObject {
    return scaleOf(kind, this.get(kind, namespace, name).object);
  }

  #newMetadata(kind: ServedKind, value: unknown, context: WriteContext): ObjectMeta {
    const metadata = decodeMetadata(kind, rawObject(kind, value).metadata, {
      ...context,
      name: '',
    });
    if ((metadata.resourceVersion ?? '') !== '') {
      throw badRequest('resourceVersion should not be set on objects to be created');
    }
    checkNamespace(kind, metadata, context.namespace);
    return metadata;
  }

  async #create(
    kind: ServedKind,
    value: unknown,
    metadata: ObjectMeta,
    context: WriteContext,
  ): Promise<WriteOutcome> {
    const { clock, newUid, admission } = this.#init;
    const time = rfc3339(clock.now());
    const namespace = kind.namespaced ? context.namespace : undefined;
    const identity = { name: metadata.name, namespace, uid: newUid(), time };
    const draft = newObject(kind, value, metadata, { ...context, identity });
    admission({ kind, caller: context.caller, before: undefined, after: draft, engine: this });
    const { managedFields } = trackUpdate(
      kind,
      { before: undefined, after: draft },
      metadata.managedFields,
      { manager: context.manager, subresource: undefined, time },
    );
    return this.#insert(kind, withManaged(draft, managedFields), context);
  }

  async #insert(kind: ServedKind, object: AnyObject, context: WriteContext): Promise<WriteOutcome> {
    const { name, namespace } = object.metadata;
    const key = keyOf(kind, namespace, name);
    if (context.dryRun && this.#init.store.getSync(key) !== undefined) {
      throw alreadyExists(kind, name);
    }
    const operation = { kind: 'create', key, value: storedText(kind, object) } as const;
    const stored = await writeObject(this.#init, kind, {
      operation,
      object: object,
      dryRun: context.dryRun,
    });
    return { stored, changed: [], kind: 'created' };
  }

  async #replace(
    kind: ServedKind,
    live: StoredObject,
    value: unknown,
    context: WriteContext,
  ): Promise<WriteOutcome> {
    const before = live.object;
    const wanted = context.subresource === 'scale' ? applyScale(kind, before, value) : value;
    const { object, metadata } = updatedObject(kind, before, wanted, context);
    const { managedFields, changed } = trackUpdate(
      kind,
      { before, after: object },
      metadata.managedFields ?? before.metadata.managedFields,
      {
        manager: context.manager,
        subresource: context.subresource,
        time: rfc3339(this.#init.clock.now()),
      },
    );
    return this.#finish(kind, live, withManaged(object, managedFields), { context, changed });
  }

  async #apply(
    kind: ServedKind,
    name: string,
    live: StoredObject | undefined,
    patch: EnginePatch & { readonly kind: 'apply' },
    context: WriteContext,
  ): Promise<WriteOutcome> {
    const raw = rawObject(kind, patch.body);
    const metadata = decodeMetadata(kind, raw.metadata, { ...context, name });
    if (metadata.managedFields !== undefined) {
      throw badRequest('metadata.managedFields must be nil');
    }
    if (metadata.name !== '' && metadata.name !== name) {
      throw badRequest(`the name of the object (${metadata.name}) does not match ${name}`);
    }
    checkNamespace(kind, metadata, context.namespace);
    const config: AnyObject = {
      apiVersion: kind.apiVersion,
      kind: kind.kind,
      metadata: { ...metadata, name },
      ...raw.fields,
    };
    const time = rfc3339(this.#init.clock.now());
    const own = {
      manager: context.manager,
      subresource: context.subresource,
      time,
      force: patch.force,
    };
    if (live === undefined) {
      if (context.subresource !== undefined) throw notFound(kind, name);
      const namespace = kind.namespaced ? context.namespace : undefined;
      const identity = { name, namespace, uid: this.#init.newUid(), time };
      const empty: AnyObject = {
        apiVersion: kind.apiVersion,
        kind: kind.kind,
        metadata: { name },
      };
      const applied = applyObject(kind, empty, config, own);
      const draft = newObject(kind, applied.object, config.metadata, { ...context, identity });
      this.#init.admission({
        kind,
        caller: context.caller,
        before: undefined,
        after: draft,
        engine: this,
      });
      return this.#insert(kind, withManaged(draft, applied.managedFields(draft)), context);
    }
    const revision = parseRevision(metadata.resourceVersion);
    if (revision !== undefined && revision !== live.revision) throw modifiedMeanwhile(kind, name);
    checkUid(kind, live.object, metadata.uid);
    const applied = applyObject(kind, live.object, config, own);
    const { object } = updatedObject(kind, live.object, applied.object, context);
    const changed = trackUpdate(kind, { before: live.object, after: object }, [], own).changed;
    const managed = withManaged(object, applied.managedFields(object));
    return this.#finish(kind, live, managed, { context, changed });
  }

  /** Writes what an update came to: nothing, a new state, or the end of a deletion. */
  async #finish(
    kind: ServedKind,
    live: StoredObject,
    object: AnyObject,
    { context, changed }: { readonly context: WriteContext; readonly changed: readonly string[] },
  ): Promise<WriteOutcome> {
    const { resourceVersion, ...metadata } = live.object.metadata;
    const { resourceVersion: _next, ...nextMetadata } = object.metadata;
    const before = live.revision;
    if (
      changed.length === 0 &&
      resourceVersion !== undefined &&
      isDeepStrictEqual({ ...live.object, metadata }, { ...object, metadata: nextMetadata })
    ) {
      return { stored: live, before, changed, kind: 'unchanged' };
    }
    this.#init.admission({
      kind,
      caller: context.caller,
      before: live.object,
      after: object,
      engine: this,
    });
    const key = keyOf(kind, object.metadata.namespace, object.metadata.name);
    const ending =
      object.metadata.deletionTimestamp !== undefined &&
      (object.metadata.finalizers ?? []).length === 0;
    if (ending) {
      const operation = { kind: 'delete', key, ifRevision: before } as const;
      const stored = await writeObject(this.#init, kind, {
        operation,
        object: object,
        dryRun: context.dryRun,
      });
      return { stored, before, changed, kind: 'deleted' };
    }
    const value = storedText(kind, object);
    const operation = { kind: 'update', key, value, ifRevision: before } as const;
    const stored = await writeObject(this.#init, kind, {
      operation,
      object: object,
      dryRun: context.dryRun,
    });
    return { stored, before, changed, kind: 'updated' };
  }

  async #delete(
    kind: ServedKind,
    live: StoredObject,
    query: DeleteQuery & { readonly dryRun: boolean },
  ): Promise<WriteOutcome> {
    const before = live.revision;
    const { object } = live;
    const finalizers = finalizersFor(object.metadata, query.propagationPolicy);
    const key = keyOf(kind, object.metadata.namespace, object.metadata.name);
    if (finalizers.length === 0) {
      const operation = { kind: 'delete', key, ifRevision: before } as const;
      const stored = await writeObject(this.#init, kind, {
        operation,
        object: object,
        dryRun: query.dryRun,
      });
      return { stored, before, changed: [], kind: 'deleted' };
    }
    if (
      object.metadata.deletionTimestamp !== undefined &&
      isDeepStrictEqual(finalizers, object.metadata.finalizers)
    ) {
      return { stored: live, before, changed: [], kind: 'unchanged' };
    }
    const { generation } = object.metadata;
    const next: AnyObject = {
      ...object,
      metadata: {
        ...object.metadata,
        deletionTimestamp: object.metadata.deletionTimestamp ?? rfc3339(this.#init.clock.now()),
        deletionGracePeriodSeconds: 0,
        ...(generation === undefined ? {} : { generation: generation + 1 }),
        finalizers,
      },
    };
    const value = storedText(kind, next);
    const operation = { kind: 'update', key, value, ifRevision: before } as const;
    const stored = await writeObject(this.#init, kind, {
      operation,
      object: next,
      dryRun: query.dryRun,
    });
    return { stored, before, changed: ['metadata.deletionTimestamp'], kind: 'updated' };
  }
}

function withManaged(object: AnyObject, managedFields: ObjectMeta['managedFields']): AnyObject {
  const { managedFields: _managedFields, ...metadata } = object.metadata;
  if (managedFields === undefined || managedFields.length === 0) return { ...object, metadata };
  return { ...object, metadata: { ...metadata, managedFields } };
}

/** Kubernetes's Time: whole seconds, UTC. */
function rfc3339(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
