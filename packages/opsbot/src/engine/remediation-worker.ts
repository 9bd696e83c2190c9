import { type Clock, isTaplineError, type Log, TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import type { EventRecorder, Outcome } from '@tapline/reconcile';
import {
  type OpsPolicy,
  type Playbook,
  type Remediation,
  remediationResource,
  type RemediationStatus,
} from '@tapline/resources';
import { findTarget, type Fleet, targetText } from '../fleet.ts';
import type { GuardContext } from '../guards/guard.ts';
import { judge } from '../guards/guard-rails.ts';
import { beginEntry, checkEpoch, endEntry, isoTime } from '../ledger.ts';
import type { Check } from '../plan/check.ts';
import { evaluateCheck } from '../plan/evaluate-check.ts';
import type { Operation } from '../plan/operation.ts';
import { planDigest } from '../plan/plan-digest.ts';
import { planRun } from '../plan/plan-run.ts';
import type { PlannedStep } from '../plan/planned-step.ts';
import { checkOf, operationOf, storePlan, undoOf } from '../plan/stored-plan.ts';
import { type Fault, faultKey } from '../playbooks/fault.ts';
import type { FaultExtent } from '../playbooks/fault-extent.ts';
import { approvalState } from '../run/approval.ts';
import { nextMove } from '../run/next-move.ts';
import { withStep } from '../run/with-step.ts';
import type { SourceLiveness } from '../signals/signal-book.ts';
import { carryOut, type CarryOutInit, type ExecuteOnDevice } from './carry-out.ts';
import { fence } from './fenced-writer.ts';
import type { LedgerWriter } from './ledger-writer.ts';
import type { OpsInformers } from './ops-informers.ts';

/** How often what is waited for is looked at, beside when something changes. */
const lookMs = 200;
const maxMoves = 200;

export const isOver: ReadonlySet<string> = new Set(['Succeeded', 'Failed', 'Refused', 'Rejected']);

/** What is seen, when it is asked for. */
export interface OpsSight {
  fleet(): Fleet;
  faults(): ReadonlyMap<string, Fault>;
  readonly extent: (playbook: Playbook) => FaultExtent;
  readonly live: SourceLiveness;
}

export interface WorkerInit {
  readonly client: ResourceClient;
  readonly informers: OpsInformers;
  readonly ledger: LedgerWriter;
  readonly events: EventRecorder;
  readonly sight: OpsSight;
  readonly epoch: number;
  readonly execute: ExecuteOnDevice | undefined;
  /** Begins what is to be tried next; answers its name, or `person`. */
  readonly escalate: (from: Remediation, playbook: Playbook) => Promise<string>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Brings one remediation to its end, from what is on disk: plan, decision, approval, steps, checks, and
 * undo. Every move is written before and after it is made, under this leader's epoch.
 */
export function createRemediationWorker(init: WorkerInit): {
  work(name: string, signal: AbortSignal): Promise<Outcome>;
} {
  const { client, informers, ledger, sight, epoch, clock } = init;

  async function work(name: string, signal: AbortSignal): Promise<Outcome> {
    let remediation = informers.remediations.get(name);
    for (let moves = 0; moves < maxMoves; moves += 1) {
      if (remediation === undefined) return { done: true };
      const next = await move(remediation, signal);
      if (next.kind === 'wait') return { requeueAfterMs: next.ms };
      if (next.kind === 'over') return { done: true };
      remediation = next.remediation;
    }
    return { requeueAfterMs: 1 };
  }

  type Next =
    | { readonly kind: 'wait'; readonly ms: number }
    | { readonly kind: 'over' }
    | { readonly kind: 'again'; readonly remediation: Remediation };

  async function move(remediation: Remediation, signal: AbortSignal): Promise<Next> {
    const { status = {}, spec, metadata } = remediation;
    if (isOver.has(status.phase ?? '')) return await settle(remediation, signal);
    const playbook = informers.playbooks.get(spec.playbook);
    if (playbook === undefined) {
      return await end(remediation, {
        phase: status.phase === 'Running' ? 'Failed' : 'Refused',
        outcome: `playbook ${spec.playbook} does not exist`,
      });
    }
    if ((status.epoch ?? 0) > epoch) {
      throw new TaplineError('ops_fenced', `${metadata.name} is at epoch ${status.epoch}`);
    }
    if (status.phase !== 'Running') return await decide(remediation, playbook);
    if (status.epoch !== epoch) return await takeOver(remediation, signal);
    return await advance(remediation, playbook, signal);
  }

  /** Plans, asks guard rails and people, and begins. */
  async function decide(remediation: Remediation, playbook: Playbook): Promise<Next> {
    const { spec, metadata, status = {} } = remediation;
    const fleet = sight.fleet();
    const fault = sight.faults().get(faultKey(rootPlaybook(remediation, informers), spec.target));
    const requested = spec.requestedBy !== undefined;
    if (!requested && fault === undefined && spec.escalatedFrom === undefined) {
      return await end(remediation, { phase: 'Refused', outcome: 'the fault was over by itself' });
    }
    let plan: readonly PlannedStep[];
    try {
      plan = planRun(playbook, spec.target, fleet);
    } catch (error) {
      if (!isTaplineError(error)) throw error;
      return await refuse(remediation, playbook, error);
    }
    const policy = await ledger.read();
    const digest = planDigest({
      playbook,
      target: spec.target,
      plan,
      policyVersion: policy.metadata.generation ?? 0,
    });
    const judged = judge(guardContext(policy), { requested: fault === undefined });
    const nowMs = clock.now();
    const acceptedAt = status.acceptedAt ?? isoTime(nowMs);
    const base: RemediationStatus = {
      ...status,
      acceptedAt,
      epoch,
      digest,
      plan: storePlan(plan),
      decisions: [...judged.verdicts],
      ...(fault !== undefined && { evidence: evidenceOf(fault) }),
    };
    const needsPerson = requested || playbook.spec.mode !== 'Automatic';
    if (needsPerson) {
      const approval = approvalState(status, {
        digest,
        requestedBy: spec.requestedBy,
        sinceMs: Date.parse(metadata.creationTimestamp ?? acceptedAt),
        approvalSeconds: policy.spec.approvalSeconds,
        nowMs,
      });
      if (approval.kind === 'rejected') {
        const { user, reason } = approval.approval;
        const outcome = `${user} rejected it${reason === undefined ? '' : `: ${reason}`}`;
        return await end({ ...remediation, status: base }, { phase: 'Rejected', outcome });
      }
      if (approval.kind === 'none') {
        const waitedMs = nowMs - Date.parse(acceptedAt);
        if (waitedMs >= policy.spec.approvalSeconds * 1000) {
          return await end(
            { ...remediation, status: base },
            { phase: 'Refused', outcome: `nobody approved it in ${policy.spec.approvalSeconds} s` },
          );
        }
        return await hold(remediation, {
          ...base,
          phase: 'AwaitingApproval',
          outcome: approval.why,
        });
      }
    }
    if (judged.heldBy !== undefined) {
      const { guard, says } = judged.heldBy;
      const outcome = `held by ${guard}: ${says}`;
      return await hold(remediation, { ...base, phase: 'Waiting', outcome }, judged.retryMs);
    }
    return await begin(remediation, { base, guardContext });

    function guardContext(at: OpsPolicy): GuardContext {
      return {
        playbook,
        target: spec.target,
        evidence: fault?.evidence ?? [],
        policy: at.spec,
        ledger: at.status ?? {},
        fleet,
        plan,
        faults: sight.faults(),
        extent: sight.extent,
        live: sight.live,
        nowMs: clock.now(),
        monotonicMs: clock.monotonic(),
      };
    }
  }

  /** The ledger first: there limits are counted, and there two leaders meet. */
  async function begin(
    remediation: Remediation,
    about: {
      readonly base: RemediationStatus;
      readonly guardContext: (policy: OpsPolicy) => GuardContext;
    },
  ): Promise<Next> {
    const { metadata, spec } = remediation;
    const { base } = about;
    let held: string | undefined;
    let retryMs: number | undefined;
    await ledger.change((policy) => {
      checkEpoch(policy.status ?? {}, epoch);
      const isRunning = policy.status?.running?.some((one) => one.remediation === metadata.name);
      if (isRunning !== true) {
        const judged = judge(about.guardContext(policy), {
          requested: spec.requestedBy !== undefined,
        });
        held = judged.heldBy && `held by ${judged.heldBy.guard}: ${judged.heldBy.says}`;
        ({ retryMs } = judged);
        if (held !== undefined) return policy.status ?? {};
      }
      return beginEntry(
        policy.status ?? {},
        { remediation: metadata.name, playbook: spec.playbook, target: spec.target },
        { epoch, nowMs: clock.now() },
      );
    });
    if (held !== undefined) {
      return await hold(remediation, { ...base, phase: 'Waiting', outcome: held }, retryMs);
    }
    const { outcome: _, ...rest } = base;
    return await write(remediation, { ...rest, phase: 'Running', epoch });
  }

  /** Another led before: what it may still have under way must not arrive any more. */
  async function takeOver(remediation: Remediation, signal: AbortSignal): Promise<Next> {
    const { plan = [] } = remediation.status ?? {};
    const author = { client, epoch, remediation: remediation.metadata.name, signal };
    for (const step of plan) {
      const operation = operationOf(step);
      if ('object' in operation) await fence(author, operation.object);
    }
    return await write(remediation, { ...remediation.status, epoch });
  }

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
          const says = await carryOut(operation, executionOf(remediation, playbook, signal));
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
              : await carryOut(undo, executionOf(remediation, playbook, signal));
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

  async function refuse(
    remediation: Remediation,
    playbook: Playbook,
    { code, message }: TaplineError,
  ): Promise<Next> {
    const status = { ...remediation.status, error: { code, message } };
    const next = await init.escalate(remediation, playbook);
    return await end(
      { ...remediation, status: { ...status, escalated: next } },
      { phase: 'Refused', outcome: message.slice(0, 1024) },
    );
  }

  async function end(
    remediation: Remediation,
    to: { readonly phase: NonNullable<RemediationStatus['phase']>; readonly outcome: string },
  ): Promise<Next> {
    const { metadata, spec, status = {} } = remediation;
    const playbook = informers.playbooks.get(spec.playbook);
    const isLost = to.phase === 'Failed' && status.escalated === undefined;
    const escalated =
      isLost && playbook !== undefined ? await init.escalate(remediation, playbook) : undefined;
    const finishedAt = isoTime(clock.now());
    const written = await write(remediation, {
      ...status,
      epoch,
      phase: to.phase,
      outcome: to.outcome.slice(0, 1024),
      finishedAt,
      ...(escalated !== undefined && { escalated }),
    });
    tell(remediation, to, escalated);
    init.log.info('remediation over', {
      remediation: metadata.name,
      target: targetText(spec.target),
      ...to,
    });
    return written;
  }

  /** Takes it out of what runs; also after a crash between its end and this. */
  async function settle(remediation: Remediation, signal: AbortSignal): Promise<Next> {
    const { name } = remediation.metadata;
    const known = informers.policies.get('default')?.status?.running ?? [];
    if (known.some((one) => one.remediation === name)) {
      const outcome = remediation.status?.phase === 'Succeeded' ? 'Succeeded' : 'Failed';
      await ledger.change((policy) =>
        endEntry(policy.status ?? {}, {
          remediation: name,
          outcome,
          resets: policy.spec.resets,
          epoch,
          nowMs: clock.now(),
        }),
      );
    }
    signal.throwIfAborted();
    return { kind: 'over' };
  }

  async function hold(
    remediation: Remediation,
    status: RemediationStatus,
    retryMs = 60_000,
  ): Promise<Next> {
    const before = remediation.status ?? {};
    const same =
      before.phase === status.phase &&
      before.digest === status.digest &&
      // The guard rail, not its numbers: those change with every look.
      before.outcome?.split(':', 1)[0] === status.outcome?.split(':', 1)[0];
    if (!same) await write(remediation, status);
    return { kind: 'wait', ms: Math.min(retryMs, 60_000) };
  }

  async function write(remediation: Remediation, status: RemediationStatus): Promise<Next> {
    const written = await client.updateStatus(remediationResource, { ...remediation, status });
    informers.remediations.observe(written);
    return { kind: 'again', remediation: written };
  }

  function executionOf(
    remediation: Remediation,
    playbook: Playbook,
    signal: AbortSignal,
  ): CarryOutInit {
    return {
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

  function tell(
    remediation: Remediation,
    to: { readonly phase: string; readonly outcome: string },
    escalated: string | undefined,
  ): void {
    const type = to.phase === 'Succeeded' ? 'Normal' : 'Warning';
    const then = escalated === undefined ? '' : `; next: ${escalated}`;
    const message = `${remediation.spec.playbook}: ${to.outcome}${then}`;
    record(remediation, { type, reason: `Remediation${to.phase}`, message });
  }

  function record(
    remediation: Remediation,
    event: {
      readonly type: 'Normal' | 'Warning';
      readonly reason: string;
      readonly message: string;
    },
  ): void {
    const object = findTarget(sight.fleet(), remediation.spec.target) ?? remediation;
    init.events.record(object, event);
  }

  return { work };
}

/** The playbook that the fault is of: what is tried next is judged by whether that one is over. */
export function rootPlaybook(
  remediation: Remediation,
  { remediations }: Pick<OpsInformers, 'remediations'>,
): string {
  let at = remediation;
  for (let rungs = 0; rungs < 32 && at.spec.escalatedFrom !== undefined; rungs += 1) {
    const before = remediations.get(at.spec.escalatedFrom);
    if (before === undefined) break;
    at = before;
  }
  return at.spec.playbook;
}

const nothing: Operation = { kind: 'none', why: 'nothing' };

function evidenceOf(fault: Fault): NonNullable<RemediationStatus['evidence']> {
  return fault.evidence.slice(0, 16).map(({ signal }) => ({
    source: signal.source,
    key: signal.key.slice(0, 600),
    says: signal.says.slice(0, 1024),
    since: isoTime(signal.sinceMs),
  }));
}
