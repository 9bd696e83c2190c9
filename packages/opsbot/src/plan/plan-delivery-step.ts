import type { Delivery } from '@tapline/resources';
import type { FieldChange } from './operation.ts';
import type { PlannedStep } from './planned-step.ts';
import { notPossible, type StepContext } from './step-context.ts';

/** Back to the newest version that was complete, as `tapline rollback` goes. */
export function planDelivery(context: StepContext): PlannedStep {
  const delivery = deliveryOf(context);
  const { name, uid = '' } = delivery.metadata;
  const { version: now, history = [], revision = 0 } = delivery.status ?? {};
  const past = history.find(({ outcome, version }) => outcome === 'Complete' && version !== now);
  if (past === undefined) {
    throw notPossible(
      `delivery ${name} has no complete version to go back to`,
      'see its history with tapline describe delivery',
    );
  }
  const { rollout, package: of } = delivery.spec;
  const workload = workloadBehind(name);
  const fields: readonly FieldChange[] = [
    { path: ['spec', 'package', 'version'], value: past.version, was: of.version ?? null },
    { path: ['spec', 'rollout'], value: rollout + 1, was: rollout },
  ];
  return {
    action: 'rollback-delivery',
    text: `roll delivery ${name} back from ${now ?? 'what it has'} to ${past.version}`,
    operation: { kind: 'change', object: { kind: 'Delivery', name }, uid, fields },
    check: { kind: 'delivery-settled', delivery: name, above: revision },
    timeoutSeconds: context.timeoutSeconds,
    ...(workload !== undefined && { disturbs: [{ workload, replicas: 1 }] }),
  };
}

/** No further device gets it until somebody goes on. */
export function planPause(context: StepContext): PlannedStep {
  const delivery = deliveryOf(context);
  const { name, uid = '' } = delivery.metadata;
  const object = { kind: 'Delivery', name } as const;
  const was = delivery.spec.paused ?? null;
  const path = ['spec', 'paused'];
  return {
    action: 'pause-delivery',
    text: `pause delivery ${name}`,
    operation: { kind: 'change', object, uid, fields: [{ path, value: true, was }] },
    undo: { kind: 'change', object, uid, fields: [{ path, value: was, was: true }] },
    check: { kind: 'nothing' },
    timeoutSeconds: context.timeoutSeconds,
  };
}

function deliveryOf({ target, fleet, step }: StepContext): Delivery {
  const name =
    target.kind === 'Install' ? fleet.installs.get(target.name)?.spec.delivery : target.name;
  const isOf = target.kind === 'Delivery' || target.kind === 'Install';
  const delivery = isOf && name !== undefined ? fleet.deliveries.get(name) : undefined;
  if (delivery !== undefined) return delivery;
  throw notPossible(`${step.action} needs a delivery, and ${target.kind} ${target.name} has none`);
}

function workloadBehind(delivery: string): string | undefined {
  return delivery.endsWith('.workload') ? delivery.slice(0, -'.workload'.length) : undefined;
}
