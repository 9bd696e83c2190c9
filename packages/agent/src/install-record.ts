import type { InstallSpec, StatusError } from '@tapline/resources';

/** Why a revision was given up; it is not tried again. */
export interface FailedRevision {
  readonly revision: number;
  readonly error: StatusError;
}

/** What the device remembers of an Install: enough to serve and restart it without its control plane. */
export interface InstallRecord {
  readonly uid: string;
  readonly name: string;
  /** The newest revision that was asked for. */
  readonly desired: InstallSpec;
  /** The last one that proved good: what is served. */
  readonly active: InstallSpec | undefined;
  /** The good one before that, kept for the next rollback. */
  readonly previous: InstallSpec | undefined;
  readonly failed: FailedRevision | undefined;
  /** The revision whose program has ended for good, as its restart policy has it. */
  readonly finished: number | undefined;
  readonly restarts: number;
  /** Whether the Install is gone, and what it left here has to follow. */
  readonly removing: boolean;
}

/** A record of an Install that was not known before. */
export function newRecord(install: {
  readonly uid: string;
  readonly name: string;
  readonly desired: InstallSpec;
}): InstallRecord {
  return {
    ...install,
    active: undefined,
    previous: undefined,
    failed: undefined,
    finished: undefined,
    restarts: 0,
    removing: false,
  };
}
