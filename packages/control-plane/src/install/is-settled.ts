import type { Install } from '@tapline/resources';

/** Whether the device has said its last word about the revision that it is to have. */
export function isSettled({ spec, status }: Install): boolean {
  return (
    status?.observedRevision === spec.revision &&
    (status.state === 'Ready' || status.state === 'Failed' || status.state === 'RolledBack')
  );
}
