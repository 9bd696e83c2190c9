import type { ApiObject, ResourceDefinition } from '@tapline/resources';

/** What a definition's objects look like. */
export type ObjectOf<D> =
  D extends ResourceDefinition<infer Spec, infer Status> ? ApiObject<Spec, Status> : never;

/** An object to be created: the server sets identity, revision and times. */
export interface NewObject<Spec> {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
    readonly ownerReferences?: ApiObject['metadata']['ownerReferences'];
  };
  readonly spec: Spec;
}

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
  get<D extends ResourceDefinition>(
    definition: D,
    name: string,
    options?: RequestOptions,
  ): Promise<ObjectOf<D>>;
  list<D extends ResourceDefinition>(
    definition: D,
    options?: ListOptions,
  ): Promise<ObjectList<ObjectOf<D>>>;
  create<D extends ResourceDefinition>(
    definition: D,
    object: NewObject<ObjectOf<D>['spec']>,
    options?: RequestOptions,
  ): Promise<ObjectOf<D>>;
  /** Replaces the object; refused with `conflict` unless its resourceVersion is the newest. */
  update<D extends ResourceDefinition>(
    definition: D,
    object: ObjectOf<D>,
    options?: RequestOptions,
  ): Promise<ObjectOf<D>>;
  updateStatus<D extends ResourceDefinition>(
    definition: D,
    object: ObjectOf<D>,
    options?: RequestOptions,
  ): Promise<ObjectOf<D>>;
  patch<D extends ResourceDefinition>(
    definition: D,
    name: string,
    patch: Patch,
    options?: PatchOptions,
  ): Promise<ObjectOf<D>>;
  delete(definition: ResourceDefinition, name: string, options?: DeleteOptions): Promise<void>;
  watch<D extends ResourceDefinition>(
    definition: D,
    options: WatchOptions,
  ): AsyncIterable<WatchEvent<ObjectOf<D>>>;
}
