import { randomUUID } from 'node:crypto';
import { AsyncQueue, TaplineError } from '@tapline/base';
import type { ResourceClient, WatchEvent } from '@tapline/client';

interface Stored {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>> & { readonly name: string };
  readonly spec: unknown;
  readonly status?: unknown;
}

/** Objects in memory behind the resource client's interface, with its revisions and conflicts. */
export function createMemoryClient(): ResourceClient & { failWith(error: unknown): void } {
  const objects = new Map<string, Stored>();
  const watchers = new Set<{
    queue: AsyncQueue<WatchEvent<never>>;
    plural: string;
    selector: string | undefined;
  }>();
  let revision = 1;
  let failure: unknown;

  function check(): void {
    if (failure !== undefined) throw failure;
  }
  function found(definition: { plural: string }, name: string): Stored {
    const object = objects.get(keyOf(definition, name));
    if (object === undefined) throw new TaplineError('not_found', `${name} not found`);
    return object;
  }
  function matches(object: Stored, selector: string | undefined): boolean {
    if (selector === undefined) return true;
    const [path = '', value] = selector.split('=');
    const at = path
      .split('.')
      .reduce<unknown>((of, part) => (of as Record<string, unknown>)[part], object);
    return at === value;
  }
  function emit(kind: 'added' | 'modified' | 'deleted', plural: string, object: Stored): void {
    for (const watcher of watchers) {
      if (watcher.plural === plural && matches(object, watcher.selector))
        watcher.queue.push({ kind, object: object as never });
    }
  }
  function put(definition: { plural: string }, object: Stored, kind: 'added' | 'modified'): never {
    revision += 1;
    const stored = {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(revision) },
    };
    objects.set(keyOf(definition, object.metadata.name), stored);
    emit(kind, definition.plural, stored);
    return structuredClone(stored) as never;
  }
  function checkVersion(current: Stored, given: unknown): void {
    if (given !== undefined && given !== current.metadata['resourceVersion'])
      throw new TaplineError('conflict', 'changed');
  }
  const client = {
    failWith(error: unknown) {
      failure = error;
      if (error !== undefined) for (const watcher of watchers) watcher.queue.close(error);
    },
    async get(definition: { plural: string }, name: string) {
      check();
      return structuredClone(found(definition, name));
    },
    async list(definition: { plural: string }, options: { fieldSelector?: string } = {}) {
      check();
      const items = [...objects].filter(
        ([key, object]) =>
          key.startsWith(`${definition.plural}/`) && matches(object, options.fieldSelector),
      );
      return {
        items: items.map(([, object]) => structuredClone(object)),
        resourceVersion: String(revision),
      };
    },
    async create(definition: { plural: string; kind: string }, object: Stored) {
      check();
      if (objects.has(keyOf(definition, object.metadata.name)))
        throw new TaplineError('already_exists', 'exists');
      return put(
        definition,
        {
          ...object,
          apiVersion: 'tapline.dev/v1alpha1',
          kind: definition.kind,
          metadata: {
            ...object.metadata,
            uid: object.metadata['uid'] ?? randomUUID(),
            generation: 1,
          },
        },
        'added',
      );
    },
    async update(definition: { plural: string }, object: Stored) {
      check();
      const current = found(definition, object.metadata.name);
      checkVersion(current, object.metadata['resourceVersion']);
      return put(definition, { ...object, status: current.status }, 'modified');
    },
    async updateStatus(definition: { plural: string }, object: Stored) {
      check();
      const current = found(definition, object.metadata.name);
      checkVersion(current, object.metadata['resourceVersion']);
      return put(definition, { ...current, status: object.status }, 'modified');
    },
    async patch(definition: { plural: string }, name: string, patch: { body: unknown }) {
      check();
      const current = found(definition, name);
      return put(definition, merge(current, patch.body) as Stored, 'modified');
    },
    async delete(definition: { plural: string }, name: string) {
      check();
      const object = found(definition, name);
      objects.delete(keyOf(definition, name));
      revision += 1;
      emit('deleted', definition.plural, {
        ...object,
        metadata: { ...object.metadata, resourceVersion: String(revision) },
      });
    },
    async *watch(
      definition: { plural: string },
      options: { fieldSelector?: string; signal?: AbortSignal },
    ) {
      check();
      const queue = new AsyncQueue<WatchEvent<never>>();
      const watcher = { queue, plural: definition.plural, selector: options.fieldSelector };
      watchers.add(watcher);
      options.signal?.addEventListener('abort', () => queue.close(options.signal?.reason));
      try {
        yield* queue;
      } finally {
        watchers.delete(watcher);
      }
    },
  };
  return client as unknown as ResourceClient & { failWith(error: unknown): void };
}

function keyOf(definition: { plural: string }, name: string): string {
  return `${definition.plural}/${name}`;
}

function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(typeof target === 'object' ? target : {}) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}
