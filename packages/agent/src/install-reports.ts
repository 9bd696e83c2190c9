import type { Clock, Rng } from '@tapline/base';
import { parseTraceParent, type Span } from '@tapline/telemetry';
import type { AgentMetrics } from './agent-metrics.ts';
import type { InstallState } from './agent-state.ts';
import { attemptReport, type InstallAttempt } from './install-attempt.ts';
import type { InstallRecord } from './install-record.ts';
import { installStatus } from './install-status.ts';
import type { StatusReporter } from './status-reporter.ts';
import { installSpans } from './telemetry/install-spans.ts';

export interface InstallReportsInit {
  readonly device: string;
  readonly uid: string;
  readonly state: InstallState;
  readonly reporter: StatusReporter;
  readonly metrics: AgentMetrics;
  /** Where the times of an attempt go, as part of a trace. */
  readonly onSpans?: ((spans: readonly Span[]) => void) | undefined;
  readonly clock: Clock;
  readonly rng: Rng;
}

type AttemptState = InstallAttempt['state'];

/** What is told of one Install: how it goes on, how it ended, and what each stage took. */
export interface InstallReports {
  /** How it stands is not known, and to be told when there is nothing left to do. */
  remind(): void;
  progress(attempt: InstallAttempt | undefined, state: AttemptState): void;
  /** How it stands, told until the control plane has taken it. */
  outcome(record: InstallRecord, attempt: InstallAttempt): void;
  /** Nothing is left to do for now: says how it ended, where that was not said yet. */
  settled(record: InstallRecord, attempt: InstallAttempt): void;
  /** An attempt that ended well: its stages as metrics, and as part of the delivery's trace. */
  ready(record: InstallRecord, attempt: InstallAttempt): void;
  /** One that did not. */
  gaveUp(record: InstallRecord, attempt: InstallAttempt, error: string): void;
}

/** How an attempt ended whose revision was proved or given up. */
export function endOf(
  { active, desired, failed }: InstallRecord,
  attempt: InstallAttempt,
): AttemptState {
  if (failed?.revision !== desired.revision) return 'Ready';
  attempt.failure = failed.error;
  return active === undefined ? 'Failed' : 'RolledBack';
}

export function createInstallReports(init: InstallReportsInit): InstallReports {
  const { clock, device, metrics, onSpans, reporter, rng, state, uid } = init;
  let isDue = false;

  function status(
    record: InstallRecord,
    attempt: InstallAttempt,
  ): ReturnType<typeof installStatus> {
    return installStatus(record, attemptReport(attempt), {
      conditions: reporter.newest(uid)?.conditions,
      nowMs: clock.now(),
    });
  }

  function outcome(record: InstallRecord, attempt: InstallAttempt): void {
    reporter.outcome({ uid, name: record.name }, status(record, attempt));
  }

  function trace(record: InstallRecord, attempt: InstallAttempt, error?: string): void {
    const endedMs = attempt.readyMs ?? clock.monotonic();
    onSpans?.(
      installSpans(
        {
          traceParent: attempt.traceParent,
          device,
          install: record.name,
          revision: attempt.revision,
          stages: attemptReport(attempt).stages,
          error,
          // By its own clock, which the control plane's need not agree with.
          endMs: clock.now() - (clock.monotonic() - endedMs),
          seconds: (endedMs - attempt.seenMs) / 1000,
        },
        rng,
      ),
    );
  }

  return {
    outcome,
    remind() {
      isDue = true;
    },
    progress(attempt, next) {
      const record = state.record(uid);
      if (record === undefined || attempt === undefined) return;
      attempt.state = next;
      reporter.progress({ uid, name: record.name }, status(record, attempt));
    },
    settled(record, attempt) {
      if (!isDue) return;
      attempt.state = endOf(record, attempt);
      outcome(record, attempt);
      isDue = false;
    },
    ready(record, attempt) {
      // Where a full disk does not take the report, it is still to be made.
      isDue = true;
      outcome(record, attempt);
      isDue = false;
      const traceId = parseTraceParent(attempt.traceParent)?.traceId;
      for (const [stage, seconds] of Object.entries(attemptReport(attempt).stages)) {
        if (stage !== 'total') metrics.observeStage(stage, seconds, traceId);
      }
      trace(record, attempt);
      metrics.countOutcome('Ready');
    },
    gaveUp(record, attempt, error) {
      metrics.countOutcome(record.active === undefined ? 'Failed' : 'RolledBack');
      trace(record, attempt, error);
      isDue = true;
    },
  };
}
