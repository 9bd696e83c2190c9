import { AsyncQueue, TaplineError } from '@tapline/base';
import type { KindDefinition } from '@tapline/resources';
import type { AnyObject } from './any-object.ts';
import { expired } from './api-error.ts';
import type {
  Caller,
  ObjectEvent,
  ObjectName,
  Operations,
  WatchQuery,
  WriteOptions,
} from './operations.ts';
import type { Place, Service, WriteOptions as ServiceWriteOptions } from './service.ts';
import type { EventType, HubEvent } from './watch/hub-event.ts';
import type { WatchSink } from './watch/watcher.ts';

const maxQueuedEvents = 10_000;

/** The operations without HTTP. */
export function createOperations(service: Service): Operations {
  const placeOf = (
    caller: Caller,
    definition: KindDefinition,
    namespace: string | undefined,
  ): Place => {
    const kind = service.kindOf(definition);
    return { caller, kind, namespace: kind.namespaced ? (namespace ?? 'default') : undefined };
  };
  const listPlace = (
    caller: Caller,
    definition: KindDefinition,
    namespace: string | undefined,
  ): Place => ({ caller, kind: service.kindOf(definition), namespace });
  return {
    async get(caller, definition, { name, namespace }) {
      return frozen((await service.get(placeOf(caller, definition, namespace), name)).object);
    },
    async list(caller, definition, query = {}) {
      const list = await service.list(listPlace(caller, definition, query.namespace), query);
      return {
        items: list.objects.map(({ object }) => frozen(object)),
        resourceVersion: String(list.revision),
        ...(list.continue === undefined ? {} : { continue: list.continue }),
        ...(list.remaining === undefined ? {} : { remainingItemCount: list.remaining }),
      };
    },
    async create(caller, definition, object, options = {}) {
      const place = placeOf(caller, definition, options.namespace ?? namespaceOf(object));
      const { stored } = await service.create(place, object, writeOptions(caller, options));
      return frozen(stored.object);
    },
    async update(caller, definition, object, options = {}) {
      const place = placeOf(caller, definition, options.namespace ?? namespaceOf(object));
      const outcome = await service.update(place, undefined, object, writeOptions(caller, options));
      return frozen(outcome.stored.object);
    },
    async patch(caller, definition, target: ObjectName, patch, options = {}) {
      const place = placeOf(caller, definition, target.namespace ?? options.namespace);
      const own = patch.kind === 'apply' ? { ...patch, force: patch.force === true } : patch;
      const outcome = await service.patch(place, target.name, own, writeOptions(caller, options));
      return frozen(outcome.stored.object);
    },
    async delete(caller, definition, { name, namespace }, query = {}) {
      const place = placeOf(caller, definition, namespace ?? query.namespace);
      return frozen((await service.delete(place, name, query)).stored.object);
    },
    watch: (caller, definition, query = {}) =>
      watch(service, listPlace(caller, definition, query.namespace), query),
  };
}

async function* watch(
  service: Service,
  place: Place,
  query: WatchQuery,
): AsyncGenerator<ObjectEvent, undefined, void> {
  const stop = new AbortController();
  const signal =
    query.signal === undefined ? stop.signal : AbortSignal.any([query.signal, stop.signal]);
  const queue = new AsyncQueue<ObjectEvent>();
  const onAbort = (): void => queue.close();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (signal.aborted) return;
    await service.watch(place, {
      ...query,
      bookmarks: query.allowBookmarks === true,
      sendInitialEvents: false,
      sink: queueSink(queue),
      signal,
    });
    yield* queue;
  } finally {
    stop.abort(new TaplineError('stopped', 'the watch ended'));
  }
}

/** In process there is no socket to fill: what is not taken waits here, up to a limit. */
function queueSink(queue: AsyncQueue<ObjectEvent>): WatchSink {
  let live = false;
  const push = (event: ObjectEvent): void => {
    if (live && queue.size >= maxQueuedEvents) {
      queue.close(expired(`the watcher left ${maxQueuedEvents} events unread`));
    } else queue.push(event);
  };
  return {
    event: (type, event) => push({ kind: kinds[type], object: frozen(objectOf(type, event)) }),
    bookmark: (revision) => push({ kind: 'bookmark', resourceVersion: String(revision) }),
    flush: () => {
      live = true;
    },
    end: (error) => queue.close(error),
  };
}

const kinds = { ADDED: 'added', MODIFIED: 'modified', DELETED: 'deleted' } as const;

function objectOf(type: EventType, event: HubEvent): AnyObject {
  return (type === 'DELETED' ? (event.before ?? event.now) : event.now).object;
}

function writeOptions(caller: Caller, options: WriteOptions): ServiceWriteOptions {
  return {
    subresource: options.subresource,
    manager: options.fieldManager ?? caller.identity.user,
    dryRun: options.dryRun === true,
    fieldValidation: options.fieldValidation ?? 'Strict',
    warn: options.warn,
  };
}

function namespaceOf(object: unknown): string | undefined {
  if (typeof object !== 'object' || object === null || !('metadata' in object)) return undefined;
  const { metadata } = object;
  if (typeof metadata !== 'object' || metadata === null || !('namespace' in metadata)) {
    return undefined;
  }
  return typeof metadata.namespace === 'string' ? metadata.namespace : undefined;
}

/** Objects are shared with the cache and all other callers: a change must fail, not spread. */
function frozen<T extends object>(value: T): T {
  if (Object.isFrozen(value)) return value;
  for (const child of Object.values(value)) {
    if (typeof child === 'object' && child !== null) frozen(child);
  }
  return Object.freeze(value);
}
