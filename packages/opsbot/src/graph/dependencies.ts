import { channelWorkloadName, type OpsTarget } from '@tapline/resources';
import type { Fleet } from '../fleet.ts';

/** A thing that others depend on: an object, or what devices share. */
export interface GraphNode {
  readonly kind: OpsTarget['kind'] | 'Zone' | 'Fleet';
  readonly name: string;
}

/** Label of Devices that says where they stand. */
export const zoneLabel = 'zone';

export function graphKey({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind}/${name}`;
}

/** What an object needs directly in order to work. */
export function dependenciesOf(fleet: Fleet, { kind, name }: GraphNode): readonly GraphNode[] {
  switch (kind) {
    case 'Fleet':
      return [];
    case 'Zone':
      return [{ kind: 'Fleet', name: 'all' }];
    case 'Device': {
      const zone = fleet.devices.get(name)?.metadata.labels?.[zoneLabel];
      return zone === undefined || zone === ''
        ? [{ kind: 'Fleet', name: 'all' }]
        : [{ kind: 'Zone', name: zone }];
    }
    case 'Node': {
      const device = fleet.nodes.get(name)?.spec.device ?? name;
      return [{ kind: 'Device', name: device }];
    }
    case 'Attachment': {
      const spec = fleet.attachments.get(name)?.spec;
      if (spec === undefined) return [];
      return [
        { kind: 'Node', name: spec.node },
        { kind: 'Segment', name: spec.segment },
      ];
    }
    case 'Install': {
      const spec = fleet.installs.get(name)?.spec;
      if (spec === undefined) return [];
      return [
        { kind: 'Device', name: spec.device },
        { kind: 'Delivery', name: spec.delivery },
      ];
    }
    case 'Workload': {
      const found = fleet.workloads.get(name);
      const segment = found?.spec.segment?.name;
      return [
        ...(found?.status?.placements ?? []).map(
          ({ node }) => ({ kind: 'Node', name: node }) as const,
        ),
        ...(segment === undefined ? [] : [{ kind: 'Segment', name: segment } as const]),
      ];
    }
    case 'Channel': {
      const segment = fleet.channels.get(name)?.spec.segment;
      return [
        { kind: 'Workload', name: channelWorkloadName(name) },
        ...(segment === undefined ? [] : [{ kind: 'Segment', name: segment } as const]),
      ];
    }
    case 'Segment': {
      const parent = fleet.segments.get(name)?.spec.parent;
      return parent === undefined ? [] : [{ kind: 'Segment', name: parent }];
    }
    case 'Delivery':
      return [];
  }
}

/** The object itself, and all that it needs, the nearest first. */
export function ancestorsOf(fleet: Fleet, target: GraphNode): readonly GraphNode[] {
  const found: GraphNode[] = [target];
  const seen = new Set([graphKey(target)]);
  for (let at = 0; at < found.length; at += 1) {
    const next = found[at];
    if (next === undefined) break;
    for (const one of dependenciesOf(fleet, next)) {
      if (seen.has(graphKey(one))) continue;
      seen.add(graphKey(one));
      found.push(one);
    }
  }
  return found;
}
