import type { KindDefinition } from '@tapline/resources';
import type { AnyObject } from './any-object.ts';
import type { Identity } from './identity.ts';

/** Who asks for an operation, and what the audit log says about it. */
export interface Caller {
  readonly identity: Identity;
  readonly userAgent?: string;
  /** Why, in the caller's words. */
  readonly reason?: string;
  readonly sourceAddress?: string;
}

export interface ObjectName {
  readonly name: string;
  /** Namespaced kinds: `default` where absent. */
  readonly namespace?: string;
}

export interface ListQuery {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: string;
}

export interface ListResult {
  readonly items: readonly AnyObject[];
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

export interface WatchQuery {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Events after this revision; absent: the current state as `added`, then what follows. */
  readonly resourceVersion?: string;
  readonly allowBookmarks?: boolean;
  readonly signal?: AbortSignal;
}

export type ObjectEvent =
  | { readonly kind: 'added' | 'modified' | 'deleted'; readonly object: AnyObject }
  | { readonly kind: 'bookmark'; readonly resourceVersion: string };

export interface WriteOptions {
  readonly namespace?: string;
  readonly subresource?: 'status' | 'scale';
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore';
  /** Gets the warnings of fieldValidation=Warn and of deprecated use. */
  readonly warn?: (message: string) => void;
}

export type PatchBody =
  | { readonly kind: 'merge'; readonly body: unknown }
  | { readonly kind: 'json'; readonly body: unknown }
  | { readonly kind: 'apply'; readonly body: unknown; readonly force?: boolean };

export interface DeleteQuery {
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly dryRun?: boolean;
}

/**
 * What the API does, without HTTP: validated, authorised, defaulted and audited alike. Objects that
 * come back are shared and frozen. Failures are TaplineErrors with the API's codes.
 */
export interface Operations {
  get(caller: Caller, definition: KindDefinition, name: ObjectName): Promise<AnyObject>;
  list(caller: Caller, definition: KindDefinition, query?: ListQuery): Promise<ListResult>;
  create(
    caller: Caller,
    definition: KindDefinition,
    object: unknown,
    options?: WriteOptions,
  ): Promise<AnyObject>;
  update(
    caller: Caller,
    definition: KindDefinition,
    object: unknown,
    options?: WriteOptions,
  ): Promise<AnyObject>;
  patch(
    caller: Caller,
    definition: KindDefinition,
    name: ObjectName,
    patch: PatchBody,
    options?: WriteOptions,
  ): Promise<AnyObject>;
  delete(
    caller: Caller,
    definition: KindDefinition,
    name: ObjectName,
    query?: DeleteQuery,
  ): Promise<AnyObject>;
  watch(caller: Caller, definition: KindDefinition, query?: WatchQuery): AsyncIterable<ObjectEvent>;
}
