import {
  type Condition,
  type InstallStatus,
  setCondition,
  type StatusError,
} from '@tapline/resources';
import type { InstallRecord } from './install-record.ts';

/** What an attempt at a revision has come to, beside what the record says. */
export interface AttemptReport {
  readonly state: NonNullable<InstallStatus['state']>;
  /** Seconds. */
  readonly stages: Readonly<Record<string, number>>;
  readonly fetchedBytes: number;
  readonly fetchedBlobs: number;
  /** Why it does not go on. */
  readonly error: StatusError | undefined;
}

/** The status of an Install, in full: it replaces what the device said before. */
export function installStatus(
  record: InstallRecord,
  attempt: AttemptReport,
  before: { readonly conditions: readonly Condition[] | undefined; readonly nowMs: number },
): InstallStatus {
  const { active, desired } = record;
  const { state, error } = attempt;
  const ready = active?.revision === desired.revision;
  const conditions = setCondition(
    before.conditions,
    {
      type: 'Ready',
      status: ready ? 'True' : 'False',
      reason: state,
      message: (error?.message ?? message(record, state)).slice(0, 32_768),
    },
    before.nowMs,
  );
  return {
    observedRevision: desired.revision,
    state,
    ...(active === undefined
      ? {}
      : {
          active: {
            version: active.version,
            digest: active.image.digest,
            revision: active.revision,
          },
        }),
    stages: { ...attempt.stages },
    fetchedBytes: attempt.fetchedBytes,
    fetchedBlobs: attempt.fetchedBlobs,
    restarts: record.restarts,
    ...(error === undefined ? {} : { error }),
    conditions,
  };
}

function message({ desired }: InstallRecord, state: AttemptReport['state']): string {
  const what = `${desired.formula} ${desired.version}`;
  return state === 'Ready' ? `${what} is served` : `${what} is on its way: ${state.toLowerCase()}`;
}
