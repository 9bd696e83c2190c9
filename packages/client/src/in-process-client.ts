import type { ApiServer, Caller, Identity } from '@tapline/apiserver';
import type { ApiObject, KindDefinition } from '@tapline/resources';
import type {
  ListOptions,
  ObjectList,
  ObjectOf,
  PatchOptions,
  RequestOptions,
  ResourceClient,
  WatchEvent,
} from './resource-client.ts';

/**
 * A client of an API server in the same process: the same checks and audit as over HTTP, without
 * bytes. Objects are frozen and shared.
 */
export function createInProcessClient(
  api: Pick<ApiServer, 'operations'>,
  identity: Identity,
): ResourceClient {
  return new InProcessClient(api.operations, identity);
}

class InProcessClient implements ResourceClient {
  readonly #operations: ApiServer['operations'];
  readonly #caller: Caller;

  constructor(operations: ApiServer['operations'], identity: Identity) {
    this.#operations = operations;
    this.#caller = { identity, userAgent: 'tapline (in process)' };
  }

  async get<D extends KindDefinition>(
    definition: D,
    name: string,
    { signal, ...place }: RequestOptions = {},
  ): Promise<ObjectOf<D>> {
    signal?.throwIfAborted();
    const found = await this.#operations.get(this.#caller, definition, { name, ...place });
    return found as unknown as ObjectOf<D>;
  }

  async list<D extends KindDefinition>(
    definition: D,
    { signal, ...query }: ListOptions = {},
  ): Promise<ObjectList<ObjectOf<D>>> {
    signal?.throwIfAborted();
    const list = await this.#operations.list(this.#caller, definition, query);
    return list as unknown as ObjectList<ObjectOf<D>>;
  }

  async create<D extends KindDefinition>(
    definition: D,
    object: unknown,
    { signal, ...options }: RequestOptions = {},
  ): Promise<ObjectOf<D>> {
    signal?.throwIfAborted();
    const created = await this.#operations.create(this.#caller, definition, object, options);
    return created as unknown as ObjectOf<D>;
  }

  async update<D extends KindDefinition>(
    definition: D,
    object: ObjectOf<D>,
    { signal, ...options }: RequestOptions = {},
  ): Promise<ObjectOf<D>> {
    signal?.throwIfAborted();
    const updated = await this.#operations.update(this.#caller, definition, object, options);
    return updated as unknown as ObjectOf<D>;
  }

  async updateStatus<D extends KindDefinition>(
    definition: D,
    object: ObjectOf<D>,
    { signal, ...options }: RequestOptions = {},
  ): Promise<ObjectOf<D>> {
    signal?.throwIfAborted();
    const updated = await this.#operations.update(this.#caller, definition, object, {
      ...options,
      subresource: 'status',
    });
    return updated as unknown as ObjectOf<D>;
  }

  async patch<D extends KindDefinition>(
    definition: D,
    name: string,
    patch: Parameters<ResourceClient['patch']>[2],
    { signal, namespace, ...options }: PatchOptions = {},
  ): Promise<ObjectOf<D>> {
    signal?.throwIfAborted();
    const target = { name, ...(namespace === undefined ? {} : { namespace }) };
    const manager = patch.kind === 'apply' ? { fieldManager: patch.fieldManager } : {};
    const patched = await this.#operations.patch(this.#caller, definition, target, patch, {
      ...options,
      ...manager,
    });
    return patched as unknown as ObjectOf<D>;
  }

  async delete(
    definition: KindDefinition,
    name: string,
    { signal, namespace, ...query }: Parameters<ResourceClient['delete']>[2] = {},
  ): Promise<void> {
    signal?.throwIfAborted();
    const target = { name, ...(namespace === undefined ? {} : { namespace }) };
    await this.#operations.delete(this.#caller, definition, target, query);
  }

  watch<D extends KindDefinition>(
    definition: D,
    options: Parameters<ResourceClient['watch']>[1],
  ): AsyncIterable<WatchEvent<ObjectOf<D>>> {
    const query = { ...options, allowBookmarks: true };
    const events: AsyncIterable<WatchEvent<ApiObject>> = this.#operations.watch(
      this.#caller,
      definition,
      query,
    ) as AsyncIterable<WatchEvent<ApiObject>>;
    return events as AsyncIterable<WatchEvent<ObjectOf<D>>>;
  }
}
