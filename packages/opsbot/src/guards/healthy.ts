import { type Guard, hold, pass } from './guard.ts';

/** Never the last healthy replica: what a plan takes away has to leave enough. */
export const healthy: Guard = ({ plan, fleet, playbook }) => {
  const { minHealthy } = playbook.spec.guards;
  for (const { disturbs = [] } of plan) {
    for (const { workload, replicas } of disturbs) {
      const ready = fleet.workloads.get(workload)?.status?.counts?.ready ?? 0;
      const left = ready - Math.min(replicas, ready);
      if (ready > 0 && left < minHealthy) {
        return hold(
          `it would leave ${left} of ${ready} ready replicas of workload ${workload}; the limit is ${minHealthy}`,
        );
      }
    }
  }
  return pass('enough replicas stay ready');
};
