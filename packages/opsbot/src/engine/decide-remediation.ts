import { isTaplineError } from '@tapline/base';
import type { OpsPolicy, Playbook, Remediation, RemediationStatus } from '@tapline/resources';
import type { GuardContext } from '../guards/guard.ts';
import { judge } from '../guards/guard-rails.ts';
import { beginEntry, checkEpoch, isoTime } from '../ledger.ts';
import { planDigest } from '../plan/plan-digest.ts';
import { planRun } from '../plan/plan-run.ts';
import type { PlannedStep } from '../plan/planned-step.ts';
import { storePlan } from '../plan/stored-plan.ts';
import type { Fault } from '../playbooks/fault.ts';
import { approvalState } from '../run/approval.ts';
import { faultOf } from './root-playbook.ts';
import type { WorkerInit } from './worker-init.ts';
import type { Next, RemediationWriter } from './remediation-writer.ts';

/** Plans a remediation, asks guard rails and people, and begins it. */
export function createDecision(
  init: Pick<WorkerInit, 'informers' | 'ledger' | 'sight' | 'epoch' | 'clock'>,
  { write, hold, refuse, end }: RemediationWriter,
): (remediation: Remediation, playbook: Playbook) => Promise<Next> {
  const { informers, ledger, sight, epoch, clock } = init;

  async function decide(remediation: Remediation, playbook: Playbook): Promise<Next> {
    const { spec, metadata, status = {} } = remediation;
    const fleet = sight.fleet();
    const fault = faultOf(remediation, { faults: sight.faults(), informers });
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
    // Who asks for something without a fault has no evidence to show; a person has looked instead.
    const withoutFault = requested && fault === undefined;
    const judged = judge(guardContext(policy), { requested: withoutFault });
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
    return await begin(remediation, { base, guardContext, withoutFault });

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
      readonly withoutFault: boolean;
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
        const judged = judge(about.guardContext(policy), { requested: about.withoutFault });
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

  return decide;
}

function evidenceOf(fault: Fault): NonNullable<RemediationStatus['evidence']> {
  return fault.evidence.slice(0, 16).map(({ signal }) => ({
    source: signal.source,
    key: signal.key.slice(0, 600),
    says: signal.says.slice(0, 1024),
    since: isoTime(signal.sinceMs),
  }));
}
