import type {
  ApiObject,
  KindDefinition,
  ObjectMeta,
  PlainDefinition,
  PlainObject,
  ResourceDefinition,
} from '@tapline/resources';

/** What a definition's objects look like. They may be shared: never change one. */
export type ObjectOf<D> =
  D extends ResourceDefinition<infer Spec, infer Status>
    ? ApiObject<Spec, Status>
    : D extends PlainDefinition<infer Body>
      ? PlainObject<Body>
      : never;

/** The metadata that who creates an object may give; the server sets identity, revision and times. */
export type NewMetadata = Pick<
  ObjectMeta,
  'namespace' | 'labels' | 'annotations' | 'finalizers' | 'ownerReferences'
> &
  ({ readonly name: string } | { readonly generateName: string });

/** An object to be created. */
export interface NewObject<Spec> {
  readonly metadata: NewMetadata;
  readonly spec: Spec;
}

/** What `create` takes for a definition. */
export type NewObjectOf<D> =
  D extends ResourceDefinition<infer Spec>
    ? NewObject<Spec>
    : D extends PlainDefinition<infer Body>
      ? Body & { readonly metadata: NewMetadata }
      : never;

export interface RequestOptions {
  readonly namespace?: string;
  readonly signal?: AbortSignal;
}

export interface ListOptions extends RequestOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
}

export interface ObjectList<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  readonly continue?: string;
}

export type WatchEvent<T> =
  | { readonly kind: 'added' | 'modified' | 'deleted'; readonly object: T }
  | { readonly kind: 'bookmark'; readonly resourceVersion: string };

export interface WatchOptions extends RequestOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Events after this revision; absent: the current state as `added`, then what follows. */
  readonly resourceVersion?: string;
}

export type Patch =
  | { readonly kind: 'merge'; readonly body: unknown }
  | { readonly kind: 'json'; readonly body: readonly unknown[] }
  | {
      readonly kind: 'apply';
      readonly body: unknown;
      readonly fieldManager: string;
      readonly force?: boolean;
    };

export interface PatchOptions extends RequestOptions {
  readonly subresource?: 'status' | 'scale';
  /** Checks everything and stores nothing; answers what would be stored. */
  readonly dryRun?: boolean;
}

export interface DeleteOptions extends RequestOptions {
  /** Refused with `conflict` when the object is another one or has changed. */
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/**
 * One way to the resources, in process or over any Kubernetes API. Errors are TaplineErrors whose
 * code follows the API's reason: `not_found`, `already_exists`, `conflict`, `invalid`,
 * `unauthorized`, `forbidden`, `expired` (410), `unavailable`, …
 */
export interface ResourceClient {
  get<D extends KindDefinition>(
    definition: D,
    name: string,
    options?: RequestOptions,
  ): Promise<ObjectOf<D>>;
  list<D extends KindDefinition>(
    definition: D,
    options?: ListOptions,
  ): Promise<ObjectList<ObjectOf<D>>>;
  create<D extends KindDefinition>(
    definition: D,
    object: NewObjectOf<D>,
    options?: RequestOptions,
  ): Promise<ObjectOf<D>>;
  /** Replaces the object; refused with `conflict` unless its resourceVersion is the newest. */
  update<D extends KindDefinition>(
    definition: D,
    object: ObjectOf<D>,
    options?: RequestOptions,
  ): Promise<ObjectOf<D>>;
  updateStatus<D extends KindDefinition>(
    definition: D,
    object: ObjectOf<D>,
    options?: RequestOptions,
  ): Promise<ObjectOf<D>>;
  patch<D extends KindDefinition>(
    definition: D,
    name: string,
    patch: Patch,
    options?: PatchOptions,
  ): Promise<ObjectOf<D>>;
  delete(definition: KindDefinition, name: string, options?: DeleteOptions): Promise<void>;
  watch<D extends KindDefinition>(
    definition: D,
    options: WatchOptions,
  ): AsyncIterable<WatchEvent<ObjectOf<D>>>;
}
