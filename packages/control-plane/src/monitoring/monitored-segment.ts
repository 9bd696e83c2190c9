import type { MonitoredHost } from '@tapline/monitoring';
import { findCondition, type Segment } from '@tapline/resources';

/** Before the names of hosts that stand for segments: no device has `_` in its name. */
const prefix = 'segment_';

/** The host that stands for one. */
export function segmentHost(name: string): string {
  return `${prefix}${name}`;
}

/** A segment as a host of monitoring: up while it stands on a node, or leases to its children. */
export function monitoredSegment({ metadata, status }: Segment): MonitoredHost {
  const { name } = metadata;
  const ready = findCondition(status?.conditions, 'Ready');
  const { desired = 0, ready: nodes = 0, offline = 0 } = status?.nodes ?? {};
  const says = ready?.message ?? 'has not been looked at yet';
  const isThere = ready?.status === 'True' || nodes > 0;
  return {
    name: segmentHost(name),
    title: `Segment ${name}`,
    kind: 'segment',
    outcome: { state: isThere ? 0 : 1, output: says },
    checks: [
      {
        name: 'nodes',
        title: 'Nodes on which it stands',
        outcome: {
          state: ready === undefined ? 3 : ready.status === 'True' ? 0 : isThere ? 1 : 2,
          output: says,
          performance: [
            { label: 'ready', value: nodes, min: 0 },
            { label: 'desired', value: desired, min: 0 },
            { label: 'offline', value: offline, min: 0 },
          ],
        },
      },
    ],
  };
}
