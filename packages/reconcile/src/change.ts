import type { AnyObject } from './any-object.ts';

/** What happened to one object of an informer's cache. */
export type Change<T extends AnyObject> =
  | { readonly kind: 'added'; readonly object: T }
  | { readonly kind: 'modified'; readonly object: T; readonly previous: T }
  /** `object` is its last known state. */
  | { readonly kind: 'deleted'; readonly object: T };
