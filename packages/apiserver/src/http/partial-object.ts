import type { AnyObject } from '../any-object.ts';

/** meta/v1 PartialObjectMetadata: an object for those who look at its metadata only. */
export function partialObject(object: AnyObject): Readonly<Record<string, unknown>> {
  return {
    kind: 'PartialObjectMetadata',
    apiVersion: 'meta.k8s.io/v1',
    metadata: object.metadata,
  };
}
