import {
  type ChannelEdge,
  type Delivery,
  type Device,
  findCondition,
  type Install,
  installName,
  matchesLabels,
  type Node,
  parseLabelSelector,
  type Segment,
  type Workload,
  workloadLabel,
  workloadPackage,
} from '@tapline/resources';
import type { PlacementNode } from './place-replicas.ts';

/** What placement looks at, out of the local copies. */
export interface FleetView {
  readonly devices: readonly Device[];
  readonly node: (name: string) => Node | undefined;
  readonly workloads: readonly Workload[];
  readonly install: (name: string) => Install | undefined;
  readonly segment: (name: string) => Segment | undefined;
  readonly channelEdge: (name: string) => ChannelEdge | undefined;
  readonly nowMs: number;
}

/** A node, and when the time that its workloads wait for it is over. */
export interface SeenNode extends PlacementNode {
  readonly downAtMs?: number;
}

const labelPrefix = workloadLabel('');

/** Names of the workloads that a device bears the labels of. */
export function workloadsOn(device: Device): readonly string[] {
  return Object.keys(device.metadata.labels ?? {})
    .filter((key) => key.startsWith(labelPrefix))
    .map((key) => key.slice(labelPrefix.length));
}

/** Every node as `workload` sees it. */
export function placementNodes(
  workload: Workload,
  fleet: FleetView,
  delivery: Delivery['metadata']['name'],
): readonly SeenNode[] {
  const { spec, metadata } = workload;
  const selector = spec.nodes === undefined ? [] : parseLabelSelector(spec.nodes);
  const segment = spec.segment && fleet.segment(spec.segment.name);
  const onSegment = segment?.spec.nodes === undefined ? [] : parseLabelSelector(segment.spec.nodes);
  const byName = new Map(fleet.workloads.map((one) => [one.metadata.name, one]));
  return fleet.devices
    .filter((device) => device.spec.role === 'node' && !device.metadata.deletionTimestamp)
    .map((device) => {
      const { name, labels } = device.metadata;
      const node = fleet.node(name);
      const others = workloadsOn(device).filter((one) => one !== metadata.name);
      const used = others.map((one) => byName.get(one)?.spec.resources);
      const sum = (of: (one: NonNullable<(typeof used)[number]>) => number): number =>
        used.reduce((total, one) => total + (one === undefined ? 0 : of(one)), 0);
      const blocked = blockedBy({ workload, fleet, node, segment, delivery, name });
      return {
        name,
        zone: spec.spread === undefined ? '' : (labels?.[spec.spread] ?? ''),
        wanted:
          matchesLabels(selector, labels) &&
          matchesLabels(onSegment, labels) &&
          node?.spec.draining !== true &&
          // OpsBot moves one workload away by it, and takes it off again.
          labels?.[`avoid.tapline.dev/${metadata.name}`] === undefined,
        freeCpus: (node?.status?.capacity?.cpus ?? 0) - sum(({ cpus }) => cpus),
        freeMemoryBytes:
          (node?.status?.capacity?.memoryBytes ?? 0) - sum(({ memoryBytes }) => memoryBytes),
        others: others.length,
        ...presence(device, spec.moveAfterSeconds * 1000, fleet.nowMs),
        ...(blocked !== undefined && { blocked }),
      };
    });
}

function presence(
  { status }: Device,
  moveAfterMs: number,
  nowMs: number,
): Pick<SeenNode, 'state' | 'downAtMs'> {
  if (status?.presence === undefined) return { state: 'down' };
  if (status.presence.connected) return { state: 'up' };
  const downAtMs = Date.parse(status.presence.since) + moveAfterMs;
  return downAtMs <= nowMs ? { state: 'down' } : { state: 'lost', downAtMs };
}

/** Why nothing new may come, in words that several nodes can share. */
function blockedBy(about: {
  readonly workload: Workload;
  readonly fleet: FleetView;
  readonly node: Node | undefined;
  readonly segment: Segment | undefined;
  readonly delivery: string;
  readonly name: string;
}): string | undefined {
  const { workload, fleet, node, segment, delivery, name } = about;
  const { spec } = workload;
  if (spec.segment !== undefined) {
    if (segment === undefined) return `segment ${spec.segment.name} does not exist`;
    if (findCondition(node?.status?.conditions, 'Ready')?.status !== 'True') {
      return 'not ready for segments';
    }
  }
  if (spec.engine !== undefined) {
    if (typeof node?.status?.edge?.url === 'string') return undefined;
    const error = node?.status?.edgeError;
    return error ? `edge cache failed: ${error.message}` : 'serves no channels';
  }
  const program = workloadPackage(workload);
  if (program === undefined) return 'has no program to run';
  // A device has one Install of a package.
  const install = fleet.install(installName(name, program));
  return install === undefined || install.spec.delivery === delivery
    ? undefined
    : `has ${program} by another delivery`;
}
