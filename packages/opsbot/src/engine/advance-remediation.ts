import { isTaplineError, TaplineError } from '@tapline/base';
import type { Playbook, Remediation } from '@tapline/resources';
import { checkEpoch, isoTime } from '../ledger.ts';
import type { Check } from '../plan/check.ts';
import { evaluateCheck } from '../plan/evaluate-check.ts';
import type { Operation } from '../plan/operation.ts';
import { checkOf, operationOf, undoOf } from '../plan/stored-plan.ts';
import { approvalState } from '../run/approval.ts';
import { nextMove } from '../run/next-move.ts';
import { stepTraceParent } from '../run/remediation-spans.ts';
import { withStep } from '../run/with-step.ts';
import { carryOut, type CarryOutInit } from './carry-out.ts';
import type { WorkerInit } from './worker-init.ts';
import type { Next, RemediationWriter } from './remediation-writer.ts';
import { rootPlaybook } from './root-playbook.ts';

/** How often what is waited for is looked at, beside when something changes. */
const lookMs = 200;
const nothing: Operation = { kind: 'none', why: 'nothing' };

/** The next move of a remediation that runs: its steps, their checks, and what takes them back. */
export function createAdvance(
  init: Pick<
    WorkerInit,
    'client' | 'informers' | 'ledger' | 'sight' | 'epoch' | 'execute' | 'clock'
  >,
  { write, end, record }: RemediationWriter,
): (remediation: Remediation, playbook: Playbook, signal: AbortSignal) => Promise<Next> {
  const { client, informers, ledger, sight, epoch, clock } = init;

  async function advance(
    remediation: Remediation,
    playbook: Playbook,
    signal: AbortSignal,
  ): Promise<Next> {
    const { status = {}, spec } = remediation;
    const next = nextMove(status, playbook.spec);
    switch (next.kind) {
      case 'begin-step': {
        const startedAt = isoTime(clock.now());
        return await write(remediation, withStep(status, next.at, { state: 'Running', startedAt }));
      }
      case 'carry-out': {
        const step = status.plan?.[next.at];
        const operation: Operation = step === undefined ? nothing : operationOf(step);
        if (operation.kind === 'approval') return await awaitApproval(remediation, next.at);
        try {
          const says = await carryOut(
            operation,
            executionOf(remediation, { playbook, at: next.at, signal }),
          );
          return await write(
            remediation,
            withStep(status, next.at, { state: 'Checking', says: says.slice(0, 1024) }),
          );
        } catch (error) {
          return await stepFailed(remediation, next.at, error);
        }
      }
      case 'look': {
        const step = status.plan?.[next.at];
        const check: Check = step === undefined ? { kind: 'nothing' } : checkOf(step);
        const found = evaluateCheck(check, { fleet: sight.fleet(), faults: sight.faults() });
        const begun = Date.parse(status.steps?.[next.at]?.startedAt ?? '');
        if (found.holds) {
          const finishedAt = isoTime(clock.now());
          return await write(
            remediation,
            withStep(status, next.at, {
              state: 'Done',
              finishedAt,
              says: found.says.slice(0, 1024),
            }),
          );
        }
        const leftMs = begun + (step?.timeoutSeconds ?? 0) * 1000 - clock.now();
        if (leftMs > 0) return { kind: 'wait', ms: Math.min(lookMs, leftMs) };
        const why = `after ${step?.timeoutSeconds ?? 0} s: ${found.says}`;
        return await stepFailed(remediation, next.at, new TaplineError('ops_check_failed', why));
      }
      case 'verify': {
        const { verify } = playbook.spec;
        const since = status.verifySince;
        if (since === undefined) {
          return await write(remediation, { ...status, verifySince: isoTime(clock.now()) });
        }
        const check: Check =
          verify.condition === undefined
            ? {
                kind: 'fault-over',
                playbook: rootPlaybook(remediation, informers),
                target: spec.target,
              }
            : { kind: 'condition', target: spec.target, ...verify.condition };
        const found = evaluateCheck(check, { fleet: sight.fleet(), faults: sight.faults() });
        if (found.holds) {
          return await end(remediation, { phase: 'Succeeded', outcome: found.says });
        }
        const leftMs = Date.parse(since) + verify.timeoutSeconds * 1000 - clock.now();
        if (leftMs > 0) return { kind: 'wait', ms: Math.min(lookMs, leftMs) };
        const message = `it did not help in ${verify.timeoutSeconds} s: ${found.says}`;
        return await write(remediation, { ...status, error: { code: 'ops_not_helped', message } });
      }
      case 'take-back': {
        const step = status.plan?.[next.at];
        const undo = step && undoOf(step);
        try {
          const says =
            undo === undefined
              ? 'nothing to take back'
              : await carryOut(undo, executionOf(remediation, { playbook, at: next.at, signal }));
          return await write(
            remediation,
            withStep(status, next.at, {
              state: 'Undone',
              says: `taken back: ${says}`.slice(0, 1024),
            }),
          );
        } catch (error) {
          if (!isTaplineError(error) || error.code === 'ops_fenced') throw error;
          const says = `not taken back: ${error.message}`.slice(0, 1024);
          return await write(remediation, withStep(status, next.at, { state: 'NotUndone', says }));
        }
      }
      case 'end': {
        const outcome =
          next.phase === 'Succeeded'
            ? 'its steps are done'
            : (status.error?.message ?? 'a step failed');
        return await end(remediation, { phase: next.phase, outcome });
      }
    }
  }

  async function awaitApproval(remediation: Remediation, at: number): Promise<Next> {
    const { status = {}, spec } = remediation;
    const { spec: policy } = await ledger.read();
    const sinceMs = Date.parse(status.steps?.[at]?.startedAt ?? '');
    const approval = approvalState(status, {
      digest: status.digest ?? '',
      requestedBy: spec.requestedBy,
      sinceMs,
      approvalSeconds: policy.approvalSeconds,
      nowMs: clock.now(),
    });
    if (approval.kind === 'approved') {
      const says = `${approval.approval.user} approved it`;
      const finishedAt = isoTime(clock.now());
      return await write(remediation, withStep(status, at, { state: 'Done', says, finishedAt }));
    }
    if (approval.kind === 'rejected') {
      const error = new TaplineError('ops_rejected', `${approval.approval.user} rejected it`);
      return await stepFailed(remediation, at, error);
    }
    if (clock.now() - sinceMs >= policy.approvalSeconds * 1000) {
      const why = `nobody approved it in ${policy.approvalSeconds} s`;
      return await stepFailed(remediation, at, new TaplineError('ops_not_approved', why));
    }
    return { kind: 'wait', ms: lookMs * 5 };
  }

  /** A known failure is the step's; whatever else is tried again, as is being fenced. */
  async function stepFailed(remediation: Remediation, at: number, error: unknown): Promise<Next> {
    const passing = ['ops_fenced', 'unavailable', 'unreachable', 'conflict'];
    if (!isTaplineError(error) || passing.includes(error.code)) throw error;
    const { status = {} } = remediation;
    const { code, message, hint } = error;
    const failed = withStep(status, at, {
      state: 'Failed',
      says: message.slice(0, 1024),
      finishedAt: isoTime(clock.now()),
    });
    return await write(remediation, {
      ...failed,
      error: { code, message, ...(hint !== undefined && { hint }) },
    });
  }

  function executionOf(
    remediation: Remediation,
    about: { readonly playbook: Playbook; readonly at: number; readonly signal: AbortSignal },
  ): CarryOutInit {
    const { playbook, at, signal } = about;
    return {
      traceParent: stepTraceParent(remediation, at),
      client,
      epoch,
      remediation: remediation.metadata.name,
      signal,
      execute: init.execute,
      nowMs: clock.now(),
      notify(message) {
        const page = playbook.spec.runbook;
        const see = page === undefined ? '' : ` (docs/runbooks/${page}.md)`;
        record(remediation, { type: 'Warning', reason: 'OpsBot', message: `${message}${see}` });
      },
      async stillLeads() {
        checkEpoch((await ledger.read()).status ?? {}, epoch);
      },
    };
  }

  return advance;
}
