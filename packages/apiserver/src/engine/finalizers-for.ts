import type { ObjectMeta } from '@tapline/resources';
import type { DeleteQuery } from '../operations.ts';

/** Kubernetes's way to store the policy: a finalizer that the garbage collector works off. */
export function finalizersFor(
  metadata: ObjectMeta,
  policy: DeleteQuery['propagationPolicy'],
): readonly string[] {
  const kept = (metadata.finalizers ?? []).filter(
    (one) => policy === undefined || (one !== 'foregroundDeletion' && one !== 'orphan'),
  );
  if (policy === 'Foreground') return [...kept, 'foregroundDeletion'];
  if (policy === 'Orphan') return [...kept, 'orphan'];
  return kept;
}
