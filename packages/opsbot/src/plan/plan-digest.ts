import { createHash } from 'node:crypto';
import { canonicalJson } from '@tapline/base';
import type { OpsTarget, Playbook } from '@tapline/resources';
import type { PlannedStep } from './planned-step.ts';

/**
 * What an approval is for: this version of the playbook, this target, all that is done and with which
 * values, under this version of the policy. Anything else has another digest.
 */
export function planDigest(about: {
  readonly playbook: Playbook;
  readonly target: OpsTarget;
  readonly plan: readonly PlannedStep[];
  readonly policyVersion: number;
}): string {
  const { name, uid, generation } = about.playbook.metadata;
  const steps = about.plan.map(({ action, operation, undo, check, timeoutSeconds }) => ({
    action,
    operation,
    undo,
    check,
    timeoutSeconds,
  }));
  const text = canonicalJson({
    playbook: { name, uid, generation },
    target: about.target,
    steps,
    policyVersion: about.policyVersion,
  });
  return createHash('sha256').update(text).digest('hex');
}
