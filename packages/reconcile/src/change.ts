import type { ApiObject } from '@tapline/resources';

/** What happened to one object of an informer's cache. */
export type Change<T extends ApiObject> =
  | { readonly kind: 'added'; readonly object: T }
  | { readonly kind: 'modified'; readonly object: T; readonly previous: T }
  /** `object` is its last known state. */
  | { readonly kind: 'deleted'; readonly object: T };
