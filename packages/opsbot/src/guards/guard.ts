import type { OpsPolicySpec, Playbook } from '@tapline/resources';
import type { Fault } from '../playbooks/fault.ts';
import type { FaultExtent } from '../playbooks/fault-extent.ts';
import type { Fleet } from '../fleet.ts';
import type { Ledger } from '../ledger.ts';
import type { PlannedStep } from '../plan/planned-step.ts';
import type { SourceLiveness } from '../signals/signal-book.ts';

/** Everything that a guard rail may look at. */
export interface GuardContext extends Fault {
  readonly policy: OpsPolicySpec;
  readonly ledger: Ledger;
  readonly fleet: Fleet;
  readonly plan: readonly PlannedStep[];
  /** Every fault that stands, this one included. */
  readonly faults: ReadonlyMap<string, Fault>;
  /** How many of what the playbook is for are in trouble. */
  readonly extent: (playbook: Playbook) => FaultExtent;
  readonly live: SourceLiveness;
  /** Wall time, for what is on disk. */
  readonly nowMs: number;
  /** Our monotonic time, for what was heard. */
  readonly monotonicMs: number;
}

/** What a guard rail says; `retryMs` is when it may say otherwise by itself. */
export interface Verdict {
  readonly allowed: boolean;
  readonly says: string;
  readonly retryMs?: number;
}

export type Guard = (context: GuardContext) => Verdict;

export function pass(says: string): Verdict {
  return { allowed: true, says };
}

export function hold(says: string, retryMs?: number): Verdict {
  return { allowed: false, says, ...(retryMs !== undefined && { retryMs: Math.max(1, retryMs) }) };
}

const recovery = new Set(['uncordon-node', 'notify', 'run-check', 'wait-for-approval']);

/** Whether a playbook only gives back or tells: a tripped breaker must not keep that from happening. */
export function isRecovery({ spec }: Playbook): boolean {
  return spec.steps.every(({ action }) => recovery.has(action));
}
