import { workloadLabel } from '@tapline/resources';
import type { FieldChange } from './operation.ts';
import type { PlannedStep } from './planned-step.ts';
import { nodeOf, notPossible, type StepContext } from './step-context.ts';

/** Label of a Node that OpsBot drained: what others drained is not OpsBot's to give back. */
export const drainedLabel = 'ops.tapline.dev/drained';

/** Label of a Device that keeps a workload away from it. */
export function avoidLabel(workload: string): string {
  return `avoid.tapline.dev/${workload}`;
}

/** Nothing new comes to a node, and what is there leaves as soon as it is ready elsewhere. */
export function planDrain(context: StepContext): PlannedStep {
  const node = nodeOf(context);
  const { name, uid = '', labels } = node.metadata;
  const isDraining = node.spec.draining === true;
  const common = {
    action: 'drain-node',
    check: { kind: 'node-empty', node: name },
    timeoutSeconds: context.timeoutSeconds,
  } as const;
  if (isDraining) {
    return {
      ...common,
      text: `node ${name} is drained already`,
      operation: { kind: 'none', why: 'somebody drains it already' },
    };
  }
  const object = { kind: 'Node', name } as const;
  const fields: readonly FieldChange[] = [
    { path: ['spec', 'draining'], value: true, was: node.spec.draining ?? null },
    {
      path: ['metadata', 'labels', drainedLabel],
      value: 'true',
      was: labels?.[drainedLabel] ?? null,
    },
  ];
  return {
    ...common,
    text: `drain node ${name}: nothing new comes, and what is there moves`,
    operation: { kind: 'change', object, uid, fields },
    undo: { kind: 'change', object, uid, fields: reverse(fields) },
  };
}

/** Workloads may come again, where it was OpsBot who kept them away. */
export function planUncordon(context: StepContext): PlannedStep {
  const node = nodeOf(context);
  const { name, uid = '', labels } = node.metadata;
  if (labels?.[drainedLabel] !== 'true') {
    throw notPossible(
      `node ${name} was not drained by OpsBot, so it is not OpsBot's to give back`,
      `run tapline node drain ${name} --undo`,
    );
  }
  const object = { kind: 'Node', name } as const;
  const fields: readonly FieldChange[] = [
    { path: ['spec', 'draining'], value: null, was: node.spec.draining ?? null },
    { path: ['metadata', 'labels', drainedLabel], value: null, was: 'true' },
  ];
  return {
    action: 'uncordon-node',
    text: `let workloads come to node ${name} again`,
    operation: { kind: 'change', object, uid, fields },
    undo: { kind: 'change', object, uid, fields: reverse(fields) },
    check: { kind: 'nothing' },
    timeoutSeconds: context.timeoutSeconds,
  };
}

/** Has the workloads of a node, or one of them, run elsewhere; others may come meanwhile. */
export function planMove(context: StepContext): readonly PlannedStep[] {
  const { workload } = context.step;
  const { name } = nodeOf(context).metadata;
  return planMoveFrom(context, { node: name, ...(workload !== undefined && { workload }) });
}

/** Of one node: of a channel it is not the node that is the target. */
export function planMoveFrom(
  { fleet, timeoutSeconds }: StepContext,
  { node: name, workload: only }: { readonly node: string; readonly workload?: string },
): readonly PlannedStep[] {
  const device = fleet.devices.get(name);
  const prefix = workloadLabel('');
  const there = Object.keys(device?.metadata.labels ?? {})
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length))
    .filter((one) => only === undefined || only === one)
    .toSorted();
  if (device === undefined || there.length === 0) {
    const what = only === undefined ? 'no workload' : `no workload ${only}`;
    throw notPossible(`there is ${what} on node ${name}`);
  }
  const { uid = '', labels } = device.metadata;
  return there.flatMap((workload): PlannedStep[] => {
    const object = { kind: 'Device', name } as const;
    const path = ['metadata', 'labels', avoidLabel(workload)];
    const was = labels?.[avoidLabel(workload)] ?? null;
    const keepAway = { path, value: 'true', was };
    const change = (fields: readonly FieldChange[]) =>
      ({ kind: 'change', object, uid, fields }) as const;
    return [
      {
        action: 'move-workload',
        text: `move workload ${workload} away from node ${name}`,
        operation: change([keepAway]),
        undo: change(reverse([keepAway])),
        check: { kind: 'workload-left', workload, node: name },
        timeoutSeconds,
      },
      {
        action: 'move-workload',
        text: `let workload ${workload} come to node ${name} another time`,
        operation: change([{ path, value: was, was: 'true' }]),
        check: { kind: 'workloads-ready', workloads: [workload] },
        timeoutSeconds,
      },
    ];
  });
}

function reverse(fields: readonly FieldChange[]): readonly FieldChange[] {
  return fields.map(({ path, value, was }) => ({ path, value: was, was: value }));
}
