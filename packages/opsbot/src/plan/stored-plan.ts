import { canonicalJson } from '@tapline/base';
import type { RemediationPlanStep } from '@tapline/resources';
import type { Check } from './check.ts';
import type { Operation } from './operation.ts';
import type { PlannedStep } from './planned-step.ts';

/** A plan as it is kept with a Remediation. */
export function storePlan(plan: readonly PlannedStep[]): RemediationPlanStep[] {
  return plan.map(({ action, text, operation, undo, check, timeoutSeconds }) => ({
    action,
    text: text.slice(0, 1024),
    operation: canonicalJson(operation),
    ...(undo !== undefined && { undo: canonicalJson(undo) }),
    check: canonicalJson(check),
    timeoutSeconds,
  }));
}

/** Only OpsBot writes the status that these come from, so they are what it wrote. */
export function operationOf({ operation }: RemediationPlanStep): Operation {
  return JSON.parse(operation) as Operation;
}

export function undoOf({ undo }: RemediationPlanStep): Operation | undefined {
  return undo === undefined ? undefined : (JSON.parse(undo) as Operation);
}

export function checkOf({ check }: RemediationPlanStep): Check {
  return JSON.parse(check) as Check;
}
