import type { InstallImage, InstallSpec, InstallStatus, StatusError } from '@tapline/resources';
import type { AttemptReport } from './install-status.ts';

/** What happened since the device saw a revision; in memory only, as the facts are on disk. */
export interface InstallAttempt {
  readonly revision: number;
  readonly image: InstallImage;
  /** The span that it is below, as the Install names it. */
  readonly traceParent: string | undefined;
  /** Monotonic milliseconds. */
  readonly seenMs: number;
  pulledMs: number | undefined;
  unpackedMs: number | undefined;
  startedMs: number | undefined;
  readyMs: number | undefined;
  fetchedBytes: number;
  fetchedBlobs: number;
  reserved: boolean;
  healthy: number | undefined;
  /** Certain: this revision will not do. */
  failure: StatusError | undefined;
  /** What stands in the way for now. */
  obstacle: StatusError | undefined;
  state: NonNullable<InstallStatus['state']>;
  /** Failures in a row. */
  tries: number;
  /** Aborts when a newer revision makes this one pointless. */
  readonly superseded: AbortController;
}

export function newAttempt(
  spec: InstallSpec,
  seenMs: number,
  traceParent?: string,
): InstallAttempt {
  return {
    revision: spec.revision,
    image: spec.image,
    traceParent,
    seenMs,
    pulledMs: undefined,
    unpackedMs: undefined,
    startedMs: undefined,
    readyMs: undefined,
    fetchedBytes: 0,
    fetchedBlobs: 0,
    reserved: false,
    healthy: undefined,
    failure: undefined,
    obstacle: undefined,
    state: 'Pending',
    tries: 0,
    superseded: new AbortController(),
  };
}

/** What the attempt has come to, with each stage's time from the end of the one before, in seconds. */
export function attemptReport(attempt: InstallAttempt): AttemptReport {
  const marks = [
    ['pulled', attempt.pulledMs],
    ['unpacked', attempt.unpackedMs],
    ['started', attempt.startedMs],
    ['ready', attempt.readyMs],
  ] as const;
  const stages: Record<string, number> = {};
  let before = attempt.seenMs;
  for (const [stage, at] of marks) {
    if (at === undefined) continue;
    stages[stage] = secondsBetween(before, at);
    before = at;
  }
  if (attempt.readyMs !== undefined)
    stages['total'] = secondsBetween(attempt.seenMs, attempt.readyMs);
  return {
    state: attempt.state,
    stages,
    fetchedBytes: attempt.fetchedBytes,
    fetchedBlobs: attempt.fetchedBlobs,
    error: attempt.failure ?? attempt.obstacle,
  };
}

/** To the microsecond: more digits say nothing and are read by people. */
function secondsBetween(fromMs: number, toMs: number): number {
  return Math.round(Math.max(0, toMs - fromMs) * 1000) / 1e6;
}
