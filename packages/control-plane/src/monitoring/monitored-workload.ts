import type { MonitoredHost } from '@tapline/monitoring';
import { findCondition, type Workload } from '@tapline/resources';

/** Before the names of hosts that stand for workloads: no device has `_` in its name. */
const prefix = 'workload_';

/** The host that stands for one. */
export function workloadHost(name: string): string {
  return `${prefix}${name}`;
}

/** A workload as a host of monitoring: up while one of its replicas is ready, or none is wanted. */
export function monitoredWorkload({ metadata, spec, status }: Workload): MonitoredHost {
  const { name } = metadata;
  const ready = status?.counts?.ready ?? 0;
  const wanted = spec.replicas;
  const why = findCondition(status?.conditions, 'Ready')?.message ?? 'has not been looked at yet';
  const said = `${ready} of ${wanted} replicas are ready`;
  return {
    name: workloadHost(name),
    title: `Workload ${name}`,
    kind: 'workload',
    outcome: { state: ready > 0 || wanted === 0 ? 0 : 1, output: ready >= wanted ? said : why },
    checks: [
      {
        name: 'replicas',
        title: 'Replicas',
        outcome: {
          state: ready >= wanted ? 0 : ready === 0 ? 2 : 1,
          output: said,
          performance: [
            { label: 'ready', value: ready, min: 0 },
            { label: 'wanted', value: wanted, min: 0 },
          ],
        },
      },
    ],
  };
}
