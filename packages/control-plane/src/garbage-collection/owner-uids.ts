import type { AnyObject } from '@tapline/reconcile';

/** The uids of an object's owners, to find dependents by. */
export function ownerUids({ metadata }: AnyObject): string[] {
  return (metadata.ownerReferences ?? []).map(({ uid }) => uid);
}
