import { TaplineError } from '@tapline/base';
import type { KindDefinition } from '@tapline/resources';
import type { AnyObject } from './any-object.ts';
import { apiError, notFound } from './api-error.ts';
import type { Engine, EnginePatch } from './engine/engine.ts';
import { listObjects, type ListSources, type StoredList } from './engine/list-objects.ts';
import { parseRevision } from './engine/parse-revision.ts';
import type { WriteContext, WriteOutcome } from './engine/write-context.ts';
import type { Gate, Target } from './gate.ts';
import type { Caller, DeleteQuery, ListQuery } from './operations.ts';
import type { ServedKind } from './served-kind.ts';
import type { StoredObject } from './stored-object.ts';
import { parseSelection, type Selection } from './watch/selection.ts';
import type { WatchSink } from './watch/watcher.ts';
import type { WatchHub } from './watch/watch-hub.ts';

/** Which object or objects a request is about. */
export interface Place {
  readonly caller: Caller;
  readonly kind: ServedKind;
  /** Given for namespaced kinds, except where a list goes over all namespaces. */
  readonly namespace: string | undefined;
}

export interface WriteOptions {
  readonly subresource?: WriteContext['subresource'];
  readonly manager: string;
  readonly dryRun: boolean;
  readonly fieldValidation: WriteContext['fieldValidation'];
  readonly warn?: ((message: string) => void) | undefined;
}

export interface WatchInit {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly bookmarks: boolean;
  /** Send the current state first, and a bookmark after it, whatever resourceVersion says. */
  readonly sendInitialEvents: boolean;
  readonly sink: WatchSink;
  readonly signal: AbortSignal;
}

export interface ServiceInit {
  readonly kinds: readonly ServedKind[];
  readonly engine: Engine;
  readonly gate: Gate;
  readonly sources: ListSources;
  readonly hub: WatchHub;
  readonly maxWatchesPerUser: number;
}

/** Every request, after its bytes were read and before the answer is written. */
export class Service {
  readonly #init: ServiceInit;
  readonly #byDefinition: ReadonlyMap<string, ServedKind>;
  readonly #watches = new Map<string, number>();

  constructor(init: ServiceInit) {
    this.#init = init;
    this.#byDefinition = new Map(init.kinds.map((kind) => [kind.prefix, kind]));
  }

  kindOf({ group, plural, kind }: KindDefinition): ServedKind {
    const found = this.#byDefinition.get(`${group === '' ? 'core' : group}/${plural}/`);
    if (found !== undefined) return found;
    throw new TaplineError('not_found', `the server does not serve ${kind}`);
  }

  async get(place: Place, name: string, subresource?: string): Promise<StoredObject> {
    const { gate, engine } = this.#init;
    await gate.check({ ...place, verb: 'get', name, subresource });
    return engine.get(place.kind, place.namespace, name);
  }

  async getScale(place: Place, name: string): Promise<AnyObject> {
    const { gate, engine } = this.#init;
    await gate.check({ ...place, verb: 'get', name, subresource: 'scale' });
    return engine.getScale(place.kind, place.namespace, name);
  }

  async list(place: Place, query: ListQuery): Promise<StoredList> {
    const { gate, sources } = this.#init;
    const selection = parseSelection(place.kind, { ...query, namespace: place.namespace });
    await gate.check({ ...place, verb: 'list', ...selectedTarget(selection) });
    const { namespace, ...rest } = { ...query, namespace: place.namespace };
    return listObjects(
      sources,
      place.kind,
      namespace === undefined ? rest : { ...rest, namespace },
    );
  }

  /**
   * Passes or throws `forbidden`. For before a body is read: nobody makes the server take and parse
   * what they may not write.
   */
  permit(
    place: Place,
    verb: string,
    about: { readonly name?: string; readonly subresource?: string | undefined } = {},
  ): Promise<void> {
    return this.#init.gate.check({ ...place, verb, ...about });
  }

  create(place: Place, value: unknown, options: WriteOptions): Promise<WriteOutcome> {
    const { gate, engine } = this.#init;
    return gate.write(this.#target(place, 'create', undefined, options), () =>
      engine.create(place.kind, value, context(place, undefined, options)),
    );
  }

  update(
    place: Place,
    name: string | undefined,
    value: unknown,
    options: WriteOptions,
  ): Promise<WriteOutcome> {
    const { gate, engine } = this.#init;
    return gate.write(this.#target(place, 'update', name, options), () =>
      options.subresource === 'scale' && name !== undefined
        ? engine.updateScale(place.kind, name, value, context(place, name, options))
        : engine.update(place.kind, value, context(place, name, options)),
    );
  }

  patch(
    place: Place,
    name: string,
    patch: EnginePatch,
    options: WriteOptions,
  ): Promise<WriteOutcome> {
    const { gate, engine } = this.#init;
    return gate.write(this.#target(place, 'patch', name, options), async () => {
      if (patch.kind === 'apply' && engine.find(place.kind, place.namespace, name) === undefined) {
        // As in Kubernetes: applying what is not there is a creation, and takes its permission.
        await gate.check(this.#target(place, 'create', name, options));
      }
      return engine.patch(place.kind, name, patch, context(place, name, options));
    });
  }

  delete(place: Place, name: string, query: DeleteQuery): Promise<WriteOutcome> {
    const { gate, engine } = this.#init;
    const dryRun = query.dryRun === true;
    return gate.write({ ...place, verb: 'delete', name, dryRun }, () =>
      engine.delete(place.kind, name, withNamespace({ ...query, dryRun }, place.namespace)),
    );
  }

  /** Deletes what a list selects, one by one; what somebody else deletes meanwhile is no error. */
  async deleteCollection(
    place: Place,
    query: ListQuery,
    options: DeleteQuery,
  ): Promise<readonly StoredObject[]> {
    const { gate, engine, sources } = this.#init;
    const target: Target = { ...place, verb: 'deletecollection', dryRun: options.dryRun === true };
    await gate.check(target);
    const { objects } = await listObjects(
      sources,
      place.kind,
      withNamespace(query, place.namespace),
    );
    const deleted = await Promise.all(
      objects.map(async ({ object }) => {
        const { name, namespace, uid = '' } = object.metadata;
        const one = { ...options, uid, dryRun: options.dryRun === true };
        try {
          const outcome = await gate.write({ ...target, namespace, name }, () =>
            engine.delete(place.kind, name, withNamespace(one, namespace)),
          );
          return [outcome.stored];
        } catch (error) {
          if (error instanceof TaplineError && error.code === 'not_found') return [];
          throw error;
        }
      }),
    );
    return deleted.flat();
  }

  /** Starts a watch; it runs until the signal aborts or the sink is ended. */
  async watch(place: Place, init: WatchInit): Promise<void> {
    const { gate, hub } = this.#init;
    const { kind, caller } = place;
    const selection = parseSelection(kind, { ...init, namespace: place.namespace });
    await gate.check({ ...place, verb: 'watch', ...selectedTarget(selection) });
    const revision = parseRevision(init.resourceVersion);
    // 0 means any state, and the newest is at hand.
    const fromState = init.sendInitialEvents || revision === undefined || revision === 0;
    this.#count(caller, init.signal);
    await hub.watch({
      kind,
      selection,
      after: fromState ? undefined : revision,
      bookmarks: init.bookmarks,
      markInitialEnd: init.sendInitialEvents,
      sink: init.sink,
      signal: init.signal,
    });
  }

  #count({ identity }: Caller, signal: AbortSignal): void {
    const { maxWatchesPerUser } = this.#init;
    const { user, via } = identity;
    const count = this.#watches.get(user) ?? 0;
    if (via !== 'internal' && count >= maxWatchesPerUser) {
      throw apiError(
        'too_many_requests',
        `user ${user} has ${count} watches, the limit is ${maxWatchesPerUser}`,
        { retryAfterSeconds: 5 },
      );
    }
    this.#watches.set(user, count + 1);
    const done = (): void => {
      const left = (this.#watches.get(user) ?? 1) - 1;
      if (left === 0) this.#watches.delete(user);
      else this.#watches.set(user, left);
    };
    if (signal.aborted) done();
    else signal.addEventListener('abort', done, { once: true });
  }

  #target(
    place: Place,
    verb: string,
    name: string | undefined,
    { subresource, dryRun }: WriteOptions,
  ): Target {
    if (subresource === 'status' && !place.kind.hasStatus) {
      throw notFound(place.kind, `${name ?? ''}/status`);
    }
    return { ...place, verb, name, subresource, dryRun };
  }
}

function context(place: Place, name: string | undefined, options: WriteOptions): WriteContext {
  return {
    caller: place.caller,
    namespace: place.namespace,
    name,
    subresource: options.subresource,
    manager: options.manager,
    dryRun: options.dryRun,
    fieldValidation: options.fieldValidation,
    warn: options.warn,
  };
}

/** What a selection says about single objects: roles limited to names, and devices, depend on it. */
function selectedTarget(selection: Selection): Pick<Target, 'name' | 'requiredField'> {
  const requiredField = (path: string): string | undefined =>
    selection.fields.find((one) => one.equal && one.path.join('.') === path)?.value;
  return { name: requiredField('metadata.name'), requiredField };
}

function withNamespace<T extends object>(
  query: T,
  namespace: string | undefined,
): T & { readonly namespace?: string } {
  return namespace === undefined ? query : { ...query, namespace };
}
