import { type Clock, errorMessage, isTaplineError, type Log, type Rng } from '@tapline/base';
import { type Outcome, WorkQueue } from '@tapline/reconcile';
import type { InstallStatus } from '@tapline/resources';
import type { InstallState, OutboxEntry } from './agent-state.ts';
import type { InstallFeed } from './installs/install-feed.ts';

/**
 * Tells the control plane how Installs stand: of each only the newest status, as soon as it takes
 * it. Nothing ever waits for that.
 */
export interface StatusReporter extends AsyncDisposable {
  /** Where an attempt stands: said only if it is still so after a while. */
  progress(install: InstallName, status: InstallStatus): void;
  /** How an attempt ended: durable, and said at once. */
  outcome(install: InstallName, status: InstallStatus): void;
  /** Nothing is to be said of the Install any more. */
  forget(uid: string): void;
  /** The newest status of this Install, said or not. */
  newest(uid: string): InstallStatus | undefined;
}

export interface InstallName {
  readonly uid: string;
  readonly name: string;
}

/** An install that is done within this time is reported once. */
const coalesceMs = 500;

export function createStatusReporter(init: {
  readonly installs: Pick<InstallFeed, 'report'>;
  readonly state: InstallState;
  /** Makes durable what a status speaks of, before it is sent. */
  readonly settle: () => Promise<void>;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}): StatusReporter {
  const { installs, state, settle, clock, rng, log } = init;
  const newest = new Map<string, InstallStatus>();
  const progressing = new Map<string, Omit<OutboxEntry, 'sequence'>>();
  const queue = new WorkQueue({
    clock,
    rng,
    concurrency: 4,
    baseBackoffMs: 200,
    maxBackoffMs: 60_000,
    run: (uid, { signal }) => deliver(uid, signal),
    onError: (uid, error, retryAfterMs) =>
      log.info('status not delivered', { uid, retryAfterMs, error: errorMessage(error) }),
  });
  for (const entry of state.outbox()) {
    newest.set(entry.uid, entry.status);
    queue.add(entry.uid);
  }

  async function deliver(uid: string, signal: AbortSignal): Promise<Outcome> {
    const waiting = progressing.get(uid);
    if (waiting !== undefined) {
      state.putOutbox(waiting);
      progressing.delete(uid);
    }
    const entry = state.outboxEntry(uid);
    if (entry === undefined) return { done: true };
    await settle();
    try {
      await installs.report(entry, entry.status, { signal });
    } catch (error) {
      const gone = isTaplineError(error, 'not_found') || isTaplineError(error, 'conflict');
      if (!gone && !isTaplineError(error, 'invalid')) throw error;
      log.info('status dropped', { uid, name: entry.name, error: errorMessage(error) });
    }
    state.delivered(entry);
    return { done: true };
  }

  return {
    progress(install, status) {
      newest.set(install.uid, status);
      progressing.set(install.uid, { ...install, status });
      queue.addAfter(install.uid, coalesceMs);
    },
    outcome(install, status) {
      newest.set(install.uid, status);
      progressing.delete(install.uid);
      state.putOutbox({ ...install, status });
      queue.add(install.uid);
    },
    forget(uid) {
      newest.delete(uid);
      progressing.delete(uid);
    },
    newest: (uid) => newest.get(uid),
    [Symbol.asyncDispose]: () => queue[Symbol.asyncDispose](),
  };
}
