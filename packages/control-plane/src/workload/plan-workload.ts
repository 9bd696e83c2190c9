import {
  channelEdgeName,
  type Delivery,
  findCondition,
  type Install,
  installName,
  setCondition,
  type Workload,
  workloadLabel,
  workloadPackage,
  type WorkloadPlacement,
  type WorkloadStatus,
} from '@tapline/resources';
import { workloadDeliveryName } from './delivery-of-workload.ts';
import { type PlacementPlan, type PlannedPlacement, placeReplicas } from './place-replicas.ts';
import { type FleetView, placementNodes, type SeenNode, workloadsOn } from './placement-nodes.ts';

export type WorkloadStep =
  | { readonly kind: 'place'; readonly node: string; readonly epoch: number }
  | { readonly kind: 'withdraw'; readonly node: string };

export interface WorkloadPlan {
  /** Written before anything is placed: epochs are used once. */
  readonly status: WorkloadStatus;
  readonly steps: readonly WorkloadStep[];
  /** Whether a replica serves: from then on versions are replaced a few at a time. */
  readonly isServing: boolean;
  readonly requeueAfterMs: number | undefined;
}

/** Decides where a workload runs; pure. Placements are labels of devices, and nothing else is. */
export function planWorkload(
  workload: Workload,
  seen: FleetView & { readonly delivery: Delivery | undefined },
): WorkloadPlan {
  const { metadata, spec, status: before = {} } = workload;
  const label = workloadLabel(metadata.name);
  const deliveryName = workloadDeliveryName(metadata.name);
  const nodes = placementNodes(workload, seen, deliveryName);
  const states = new Map(nodes.map((node) => [node.name, node.state]));
  const epochs = new Map(
    seen.devices.map(({ metadata: { name, labels } }) => [name, Number(labels?.[label])]),
  );
  const isReady = (node: string): boolean => {
    if (states.get(node) !== 'up') return false;
    if (spec.engine !== undefined) {
      const edge = seen.channelEdge(channelEdgeName(node, spec.engine.channel))?.status;
      return edge?.state === 'Ready' && edge.observedEpoch === epochs.get(node);
    }
    const program = workloadPackage(workload);
    if (program === undefined) return false;
    return isInstallReady(seen.install(installName(node, program)), deliveryName);
  };
  const current = seen.devices
    .filter((device) => workloadsOn(device).includes(metadata.name))
    .map((device) => {
      const { name, labels } = device.metadata;
      const epoch = Number.parseInt(labels?.[label] ?? '', 10);
      return { node: name, epoch: Number.isNaN(epoch) ? 1 : epoch, ready: isReady(name) };
    });
  const plan = placeReplicas({
    replicas: spec.replicas,
    ...spec.resources,
    nodes,
    current,
    epoch: before.epoch ?? 0,
  });
  const placed = new Set(plan.placements.map(({ node }) => node));
  const steps: WorkloadStep[] = [
    ...plan.placements
      .filter(({ isNew }) => isNew)
      .map(({ node, epoch }) => ({ kind: 'place', node, epoch }) as const),
    ...current
      .filter(({ node }) => !placed.has(node))
      .map(({ node }) => ({ kind: 'withdraw', node }) as const),
  ];
  const placements = plan.placements.map((one) => placementStatus(one, isReady(one.node), states));
  const ready = placements.filter(({ state }) => state === 'Ready').length;
  return {
    status: {
      ...before,
      observedGeneration: metadata.generation ?? 0,
      epoch: plan.epoch,
      placements,
      counts: { desired: spec.replicas, placed: spec.replicas - plan.missing, ready },
      ...(spec.engine === undefined && { delivery: deliveryName }),
      conditions: conditions(workload, { plan, ready, delivery: seen.delivery, nowMs: seen.nowMs }),
    },
    steps,
    isServing: current.some((one) => one.ready),
    requeueAfterMs: nextDeadline(nodes, placed, seen.nowMs),
  };
}

function isInstallReady(install: Install | undefined, delivery: string): boolean {
  const { spec, status } = install ?? {};
  return (
    spec?.delivery === delivery &&
    status?.state === 'Ready' &&
    status.observedRevision === spec.revision
  );
}

function placementStatus(
  { node, epoch, phase }: PlannedPlacement,
  ready: boolean,
  states: ReadonlyMap<string, SeenNode['state']>,
): WorkloadPlacement {
  if (states.get(node) !== 'up') return { node, epoch, state: 'Lost' };
  if (phase === 'leaving') return { node, epoch, state: 'Leaving' };
  return { node, epoch, state: ready ? 'Ready' : 'Starting' };
}

function conditions(
  { metadata, spec, status }: Workload,
  about: {
    readonly plan: PlacementPlan;
    readonly ready: number;
    readonly delivery: Delivery | undefined;
    readonly nowMs: number;
  },
): WorkloadStatus['conditions'] {
  const { plan, ready, delivery, nowMs } = about;
  const { replicas } = spec;
  const observedGeneration = metadata.generation ?? 0;
  const why = [...plan.refusals].map(([reason, count]) => `${count} × ${reason}`).join(', ');
  const placed = `${replicas - plan.missing} of ${replicas} replicas have a node`;
  const scheduled = setCondition(
    status?.conditions,
    plan.missing === 0
      ? { type: 'Scheduled', status: 'True', reason: 'Placed', message: placed, observedGeneration }
      : {
          type: 'Scheduled',
          status: 'False',
          reason: 'NoNode',
          message: `${placed}; of the other nodes ${why === '' ? 'there is none' : why}`,
          observedGeneration,
        },
    nowMs,
  );
  const progress = findCondition(delivery?.status?.conditions, 'Ready')?.message;
  return setCondition(
    scheduled,
    ready >= replicas
      ? {
          type: 'Ready',
          status: 'True',
          reason: 'Running',
          message: `${ready} of ${replicas} replicas are ready`,
          observedGeneration,
        }
      : {
          type: 'Ready',
          status: 'False',
          reason: plan.missing > 0 ? 'NoNode' : 'Starting',
          message: `${ready} of ${replicas} replicas are ready${progress === undefined ? '' : `; ${progress}`}`,
          observedGeneration,
        },
    nowMs,
  );
}

/** When the first node with a replica has been away for too long. */
function nextDeadline(
  nodes: readonly SeenNode[],
  placed: ReadonlySet<string>,
  nowMs: number,
): number | undefined {
  const deadlines = nodes.flatMap(({ name, downAtMs }) =>
    downAtMs !== undefined && placed.has(name) ? [downAtMs] : [],
  );
  return deadlines.length === 0 ? undefined : Math.max(1, Math.min(...deadlines) - nowMs);
}
