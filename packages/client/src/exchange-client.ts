import { defined, TaplineError } from '@tapline/base';
import { apiVersionOf, type KindDefinition } from '@tapline/resources';
import { kubernetesPath } from './kubernetes-path.ts';
import { LineSplitter } from './line-splitter.ts';
import type { ExchangeRequest, OpenAnswer, ResourceExchange } from './resource-exchange.ts';
import type {
  DeleteOptions,
  ListOptions,
  NewObjectOf,
  ObjectList,
  ObjectOf,
  Patch,
  PatchOptions,
  RequestOptions,
  ResourceClient,
  WatchEvent,
  WatchOptions,
} from './resource-client.ts';
import { statusError } from './status-error.ts';

// An event holds one object, and the server bounds those; the rest is its metadata.
const maxEventBytes = 8 * 1024 * 1024;

const patchTypes: Readonly<Record<Patch['kind'], string>> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  // JSON is YAML, and servers before 1.33 know apply by this name only.
  apply: 'application/apply-patch+yaml',
};

/** Without this Kubernetes drops unknown fields, with a warning that nobody here would see. */
const strict = { fieldValidation: 'Strict' };

/** A client that keeps what carries it until it is disposed. */
export interface ExchangeClient extends ResourceClient, AsyncDisposable {}

/** A client of any Kubernetes API, by whatever carries its requests. */
export function createExchangeClient(exchange: ResourceExchange): ExchangeClient {
  async function object<D extends KindDefinition>(request: ExchangeRequest): Promise<ObjectOf<D>> {
    return (await exchange.json(request)) as ObjectOf<D>;
  }

  function replace<D extends KindDefinition>(
    definition: D,
    changed: ObjectOf<D>,
    options: PatchOptions,
  ): Promise<ObjectOf<D>> {
    const { name, namespace = options.namespace } = changed.metadata;
    const place = { ...options, name, query: strict, ...defined({ namespace }) };
    const path = kubernetesPath(definition, place);
    return object<D>({ method: 'PUT', path, body: changed, signal: options.signal });
  }

  return {
    get: (definition, name, options = {}) =>
      object({
        method: 'GET',
        path: kubernetesPath(definition, { ...options, name }),
        signal: options.signal,
      }),

    async list<D extends KindDefinition>(
      definition: D,
      options: ListOptions = {},
    ): Promise<ObjectList<ObjectOf<D>>> {
      const { labelSelector, fieldSelector, limit, resourceVersion } = options;
      const query = {
        labelSelector,
        fieldSelector,
        resourceVersion,
        limit: limit?.toString(),
        continue: options.continue,
      };
      const path = kubernetesPath(definition, { ...options, query });
      const answer = (await exchange.json({ method: 'GET', path, signal: options.signal })) as {
        readonly items?: readonly ObjectOf<D>[];
        readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
      };
      const { apiVersion, kind } = { apiVersion: apiVersionOf(definition), kind: definition.kind };
      // Items of a typed list carry no kind of their own on a real Kubernetes.
      const items = (answer.items ?? []).map((item) => Object.assign(item, { apiVersion, kind }));
      const next = answer.metadata?.continue;
      return {
        items,
        resourceVersion: answer.metadata?.resourceVersion ?? '0',
        ...(next === undefined || next === '' ? {} : { continue: next }),
      };
    },

    create<D extends KindDefinition>(
      definition: D,
      created: NewObjectOf<D>,
      options: RequestOptions = {},
    ): Promise<ObjectOf<D>> {
      const { metadata } = created as { readonly metadata: { readonly namespace?: string } };
      const namespace =
        definition.scope === 'Namespaced'
          ? (metadata.namespace ?? options.namespace ?? 'default')
          : undefined;
      const path = kubernetesPath(definition, { query: strict, ...defined({ namespace }) });
      const body = { apiVersion: apiVersionOf(definition), kind: definition.kind, ...created };
      return object<D>({ method: 'POST', path, body, signal: options.signal });
    },

    update: (definition, changed, options = {}) => replace(definition, changed, options),

    updateStatus: (definition, changed, options = {}) =>
      replace(definition, changed, { ...options, subresource: 'status' }),

    patch(definition, name, patch, options = {}) {
      const query = {
        ...strict,
        dryRun: options.dryRun === true ? 'All' : undefined,
        ...(patch.kind === 'apply' && {
          fieldManager: patch.fieldManager,
          force: patch.force === true ? 'true' : undefined,
        }),
      };
      const { kind } = definition;
      const body =
        patch.kind === 'apply' && typeof patch.body === 'object'
          ? { apiVersion: apiVersionOf(definition), kind, ...patch.body }
          : patch.body;
      return object({
        method: 'PATCH',
        path: kubernetesPath(definition, { ...options, name, query }),
        body,
        contentType: patchTypes[patch.kind],
        signal: options.signal,
      });
    },

    async delete(definition: KindDefinition, name: string, options: DeleteOptions = {}) {
      const preconditions = defined({
        uid: options.uid,
        resourceVersion: options.resourceVersion,
      });
      await exchange.json({
        method: 'DELETE',
        path: kubernetesPath(definition, { ...options, name }),
        body: { kind: 'DeleteOptions', apiVersion: 'v1', preconditions },
        signal: options.signal,
      });
    },

    watch: (definition, options) => watch(exchange, definition, options),

    [Symbol.asyncDispose]: () => exchange[Symbol.asyncDispose](),
  };
}

async function* watch<D extends KindDefinition>(
  exchange: ResourceExchange,
  definition: D,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<ObjectOf<D>>, void> {
  const { labelSelector, fieldSelector, resourceVersion, signal } = options;
  const path = kubernetesPath(definition, {
    ...options,
    query: {
      watch: 'true',
      allowWatchBookmarks: 'true',
      labelSelector,
      fieldSelector,
      resourceVersion,
    },
  });
  const lines = new LineSplitter(maxEventBytes);
  let answer: OpenAnswer | undefined;
  try {
    answer = await exchange.open({ method: 'GET', path, signal });
    for await (const chunk of answer.body) {
      for (const line of lines.push(chunk)) {
        const event = parseEvent<D>(line);
        if (event !== undefined) yield event;
      }
    }
  } catch (cause) {
    // Whoever ends the watch gets its end, not an error.
    if (signal?.aborted === true) return;
    if (cause instanceof TaplineError) throw cause;
    throw new TaplineError('unavailable', 'the watch was cut', { cause });
  } finally {
    answer?.destroy();
  }
}

const eventKinds: Readonly<Record<string, 'added' | 'modified' | 'deleted'>> = {
  ADDED: 'added',
  MODIFIED: 'modified',
  DELETED: 'deleted',
};

function parseEvent<D extends KindDefinition>(line: string): WatchEvent<ObjectOf<D>> | undefined {
  if (line === '') return undefined;
  let event: { readonly type?: unknown; readonly object?: unknown };
  try {
    event = JSON.parse(line) as typeof event;
  } catch (cause) {
    throw new TaplineError('unexpected_answer', 'a watch event is no JSON', { cause });
  }
  const { type, object } = event;
  if (type === 'ERROR') {
    throw statusError(Number((object as { readonly code?: unknown }).code ?? 500), object);
  }
  if (type === 'BOOKMARK') {
    const { metadata } = object as { readonly metadata: { readonly resourceVersion: string } };
    return { kind: 'bookmark', resourceVersion: metadata.resourceVersion };
  }
  const kind = eventKinds[String(type)];
  // Kubernetes may add types; what is not known is not for us.
  return kind === undefined ? undefined : { kind, object: object as ObjectOf<D> };
}
