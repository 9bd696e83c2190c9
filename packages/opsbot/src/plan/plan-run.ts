import { TaplineError } from '@tapline/base';
import type { OpsTarget, Playbook } from '@tapline/resources';
import { findTarget, type Fleet, targetText } from '../fleet.ts';
import { planFlushChannel, planMoveChannel, planPrimeChannel } from './plan-channel-step.ts';
import { planDelivery, planPause } from './plan-delivery-step.ts';
import { planDrain, planMove, planUncordon } from './plan-node-step.ts';
import type { PlannedStep } from './planned-step.ts';
import {
  planCreateSegment,
  planReallocate,
  planReapply,
  planRotateKeys,
} from './plan-segment-step.ts';
import type { StepContext } from './step-context.ts';
import { planExecute, planRestart } from './plan-workload-step.ts';

const defaultTimeoutSeconds = 60;
const maxSteps = 32;

/**
 * Everything that a run of a playbook on a target would do now. The same function serves dry runs and
 * executions. Throws `ops_target_unknown`, `ops_not_possible` and `ops_action_unsupported`.
 */
export function planRun(
  playbook: Playbook,
  target: OpsTarget,
  fleet: Fleet,
): readonly PlannedStep[] {
  if (playbook.spec.target.kind !== target.kind) {
    throw new TaplineError(
      'ops_target_unknown',
      `playbook ${playbook.metadata.name} is for a ${playbook.spec.target.kind}, and ${target.name} is a ${target.kind}`,
    );
  }
  if (findTarget(fleet, target) === undefined) {
    throw new TaplineError('ops_target_unknown', `${targetText(target)} does not exist`);
  }
  const steps = playbook.spec.steps.flatMap((step) =>
    planStep({
      playbook,
      target,
      fleet,
      step,
      timeoutSeconds: step.timeoutSeconds ?? defaultTimeoutSeconds,
    }),
  );
  if (steps.length > maxSteps) {
    throw new TaplineError(
      'ops_not_possible',
      `it would take ${steps.length} steps on ${targetText(target)}; the limit is ${maxSteps}`,
      { hint: 'name fewer objects, such as one workload' },
    );
  }
  return steps;
}

function planStep(context: StepContext): readonly PlannedStep[] {
  const { step, target, playbook, timeoutSeconds } = context;
  const { action } = step;
  switch (action) {
    case 'flush-cache':
      return target.kind === 'Channel' ? [planFlushChannel(context)] : planExecute(context);
    case 'prime-cache':
      return target.kind === 'Channel' ? [planPrimeChannel(context)] : planExecute(context);
    case 'restart-workload':
      return planRestart(context);
    case 'move-workload':
      return target.kind === 'Channel' ? planMoveChannel(context) : planMove(context);
    case 'drain-node':
      return [planDrain(context)];
    case 'uncordon-node':
      return [planUncordon(context)];
    case 'create-segment':
      return [planCreateSegment(context)];
    case 'reapply-segment':
      return planReapply(context);
    case 'reallocate-segment':
      return [planReallocate(context)];
    case 'rollback-delivery':
      return [planDelivery(context)];
    case 'pause-delivery':
      return [planPause(context)];
    case 'rotate-keys':
      return [planRotateKeys(context)];
    case 'run-check': {
      const { condition } = step;
      const check =
        condition === undefined
          ? ({ kind: 'fault-over', playbook: playbook.metadata.name, target } as const)
          : ({ kind: 'condition', target, ...condition } as const);
      const what =
        condition === undefined ? 'the fault is over' : `${condition.type} is ${condition.status}`;
      return [
        {
          action,
          text: `look whether ${what} of ${targetText(target)}`,
          operation: { kind: 'none', why: 'a check changes nothing' },
          check,
          timeoutSeconds,
        },
      ];
    }
    case 'notify':
      return [
        {
          action,
          text: `tell people: ${step.message ?? ''}`,
          operation: { kind: 'notify', message: step.message ?? '' },
          check: { kind: 'nothing' },
          timeoutSeconds,
        },
      ];
    case 'wait-for-approval':
      return [
        {
          action,
          text: 'wait until a person approves what follows',
          operation: { kind: 'approval' },
          check: { kind: 'nothing' },
          timeoutSeconds,
        },
      ];
  }
}
