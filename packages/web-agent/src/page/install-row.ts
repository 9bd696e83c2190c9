import type { InstallRecord } from '@tapline/agent';

/** An Install as the page shows it. */
export interface InstallRow {
  readonly uid: string;
  readonly formula: string;
  readonly version: string;
  readonly state: 'Ready' | 'Working' | 'Failed' | 'RolledBack' | 'Removing';
  /** Why it is not Ready. */
  readonly why: string;
  /** What can be run of it: the program that the package is named for. */
  readonly suggestion: string | undefined;
}

export function installRow(record: InstallRecord): InstallRow {
  const { uid, desired, active, failed, removing } = record;
  const { formula, version } = active ?? desired;
  const error = failed?.revision === desired.revision ? failed.error : undefined;
  return {
    uid,
    formula,
    version,
    state: stateOf({ removing, failed: error !== undefined, desired, active }),
    why: error === undefined ? '' : `${error.message} (${error.code})`,
    suggestion: active?.image.main,
  };
}

function stateOf({
  removing,
  failed,
  desired,
  active,
}: Pick<InstallRecord, 'removing' | 'desired' | 'active'> & {
  readonly failed: boolean;
}): InstallRow['state'] {
  if (removing) return 'Removing';
  if (failed) return active === undefined ? 'Failed' : 'RolledBack';
  return active?.revision === desired.revision ? 'Ready' : 'Working';
}
