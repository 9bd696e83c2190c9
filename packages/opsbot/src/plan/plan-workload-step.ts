import { installName, type Workload } from '@tapline/resources';
import type { Fleet } from '../fleet.ts';
import type { PlannedStep } from './planned-step.ts';
import { notPossible, type StepContext, workloadOf } from './step-context.ts';

/** The Delivery that carries a workload out has this name. */
export function deliveryNameOf(workload: string): string {
  return `${workload}.workload`;
}

/** Starts the replicas of a workload again, some at a time, as its Delivery does. */
export function planRestart(context: StepContext): readonly PlannedStep[] {
  const workload = workloadOf(context);
  const { name } = workload.metadata;
  const delivery = context.fleet.deliveries.get(deliveryNameOf(name));
  if (delivery === undefined) throw notPossible(`workload ${name} was not brought anywhere yet`);
  const { rollout } = delivery.spec;
  const object = { kind: 'Delivery', name: delivery.metadata.name } as const;
  return [
    {
      action: 'restart-workload',
      text: `start workload ${name} again, ${workload.spec.atOnce} at a time`,
      operation: {
        kind: 'change',
        object,
        uid: delivery.metadata.uid ?? '',
        fields: [{ path: ['spec', 'rollout'], value: rollout + 1, was: rollout }],
      },
      check: {
        kind: 'delivery-settled',
        delivery: object.name,
        above: delivery.status?.revision ?? 0,
      },
      timeoutSeconds: context.timeoutSeconds,
      disturbs: [{ workload: name, replicas: workload.spec.atOnce }],
    },
  ];
}

/** Runs a command in each replica that is ready, one after the other. */
export function planExecute(context: StepContext): readonly PlannedStep[] {
  const workload = workloadOf(context);
  const { action, command = [] } = context.step;
  const { name } = workload.metadata;
  const replicas = readyReplicas(workload, context.fleet);
  if (replicas.length === 0) {
    throw notPossible(`workload ${name} has no ready replica to run a command in`);
  }
  return replicas.map(({ node, install }) => ({
    action,
    text: `${action === 'flush-cache' ? 'flush' : 'prime'} workload ${name} on node ${node}: ${command.join(' ')}`,
    operation: { kind: 'execute', install, command },
    check: { kind: 'nothing' },
    timeoutSeconds: context.timeoutSeconds,
  }));
}

function readyReplicas(
  { status, spec }: Workload,
  fleet: Fleet,
): readonly { readonly node: string; readonly install: string }[] {
  const { package: program } = spec;
  // An engine is no program that a command could be run beside.
  if (program === undefined) return [];
  return (status?.placements ?? [])
    .filter(({ state }) => state === 'Ready')
    .map(({ node }) => ({ node, install: installName(node, program.formula) }))
    .filter(({ install }) => fleet.installs.has(install))
    .toSorted((a, b) => (a.node < b.node ? -1 : 1));
}
