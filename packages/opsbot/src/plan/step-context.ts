import { TaplineError } from '@tapline/base';
import type { Node, OpsTarget, Playbook, PlaybookStep, Workload } from '@tapline/resources';
import { type Fleet, targetText } from '../fleet.ts';

/** What a step is planned from. */
export interface StepContext {
  readonly playbook: Playbook;
  readonly target: OpsTarget;
  readonly fleet: Fleet;
  readonly step: PlaybookStep;
  readonly timeoutSeconds: number;
}

/** The node that a target is, or is on. */
export function nodeOf({ target, fleet, step }: StepContext): Node {
  const name =
    target.kind === 'Attachment' ? fleet.attachments.get(target.name)?.spec.node : target.name;
  const isOnNode = ['Node', 'Device', 'Attachment'].includes(target.kind);
  const node = isOnNode && name !== undefined ? fleet.nodes.get(name) : undefined;
  if (node !== undefined) return node;
  throw notPossible(`${step.action} needs a node, and ${targetText(target)} is none`);
}

/** The workload that the step names, or that the target is. */
export function workloadOf({ target, fleet, step }: StepContext): Workload {
  const name = step.workload ?? (target.kind === 'Workload' ? target.name : undefined);
  const workload = name === undefined ? undefined : fleet.workloads.get(name);
  if (workload !== undefined) return workload;
  throw notPossible(
    name === undefined
      ? `${step.action} needs a workload, and ${targetText(target)} is none`
      : `workload ${name} does not exist`,
  );
}

export function notPossible(message: string, hint?: string): TaplineError {
  return new TaplineError('ops_not_possible', message, hint === undefined ? {} : { hint });
}
