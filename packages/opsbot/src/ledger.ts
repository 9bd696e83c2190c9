import type { OpsPolicySpec, OpsPolicyStatus, OpsTarget } from '@tapline/resources';
import { TaplineError } from '@tapline/base';
import { graphKey } from './graph/dependencies.ts';

/**
 * What has begun and ended, and whose turn it is: kept in the status of the OpsPolicy and changed by
 * compare-and-swap only. Every remediation begins with an entry here, so two leaders never count apart.
 */
export type Ledger = OpsPolicyStatus;

const dayMs = 86_400_000;
const maxEnded = 1000;

export interface LedgerEntry {
  readonly remediation: string;
  readonly playbook: string;
  readonly target: OpsTarget;
}

/** A new leader: whoever came before has a lower epoch from now on. */
export function claimEpoch(ledger: Ledger, leader: string): Ledger {
  return { ...ledger, epoch: (ledger.epoch ?? 0) + 1, leader };
}

/** Throws `ops_fenced` where another leader has come. */
export function checkEpoch(ledger: Ledger, epoch: number): void {
  if (ledger.epoch === epoch) return;
  throw new TaplineError(
    'ops_fenced',
    `epoch ${epoch} is over: ${ledger.leader ?? 'another'} leads with epoch ${ledger.epoch ?? 0}`,
  );
}

/** Notes that something begins; the same ledger where it has begun already. */
export function beginEntry(
  ledger: Ledger,
  entry: LedgerEntry,
  about: { readonly epoch: number; readonly nowMs: number },
): Ledger {
  checkEpoch(ledger, about.epoch);
  const running = ledger.running ?? [];
  if (running.some(({ remediation }) => remediation === entry.remediation)) return ledger;
  const holder = running.find(({ target }) => graphKey(target) === graphKey(entry.target));
  if (holder !== undefined) {
    throw new TaplineError('ops_target_busy', `${holder.remediation} works on it`);
  }
  return { ...ledger, running: [...running, { ...entry, at: isoTime(about.nowMs) }] };
}

/** Notes that it ended, however it did; the same ledger where it does not run. */
export function endEntry(
  ledger: Ledger,
  ended: {
    readonly remediation: string;
    readonly outcome: 'Succeeded' | 'Failed';
    readonly resets: number;
    readonly epoch: number;
    readonly nowMs: number;
  },
): Ledger {
  checkEpoch(ledger, ended.epoch);
  const { running = [], ended: before = [] } = ledger;
  const entry = running.find(({ remediation }) => remediation === ended.remediation);
  if (entry === undefined) return ledger;
  const { outcome, resets, nowMs } = ended;
  const next = [{ ...entry, endedAt: isoTime(nowMs), outcome, resets }, ...before]
    .filter(({ endedAt }) => nowMs - Date.parse(endedAt) < dayMs)
    .slice(0, maxEnded);
  return { ...ledger, running: running.filter((one) => one !== entry), ended: next };
}

/** How many began within a time, of a playbook or in all. */
export function begunWithin(
  ledger: Ledger,
  about: { readonly ms: number; readonly nowMs: number; readonly playbook?: string },
): number {
  const all = [...(ledger.running ?? []), ...(ledger.ended ?? [])];
  return all.filter(
    ({ at, playbook }) =>
      about.nowMs - Date.parse(at) < about.ms &&
      (about.playbook === undefined || about.playbook === playbook),
  ).length;
}

/** Failed runs of a playbook in the last hour that no person has reset. */
export function failuresOf(
  ledger: Ledger,
  about: { readonly playbook: string; readonly policy: OpsPolicySpec; readonly nowMs: number },
): number {
  return (ledger.ended ?? []).filter(
    ({ playbook, outcome, endedAt, resets }) =>
      playbook === about.playbook &&
      outcome === 'Failed' &&
      resets >= about.policy.resets &&
      about.nowMs - Date.parse(endedAt) < 3_600_000,
  ).length;
}

export function isoTime(ms: number): string {
  return new Date(Math.floor(ms)).toISOString();
}
