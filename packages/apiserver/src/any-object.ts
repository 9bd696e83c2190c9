import type { ObjectMeta } from '@tapline/resources';

/** An object of any kind, as the server handles it. Shared between requests: never changed. */
export interface AnyObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}
