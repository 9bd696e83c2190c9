import { findCondition, workloadLabel } from '@tapline/resources';
import { faultKey, type Fault } from '../playbooks/fault.ts';
import { findTarget, type Fleet } from '../fleet.ts';
import type { Check } from './check.ts';

export interface CheckResult {
  readonly holds: boolean;
  readonly says: string;
}

/** Whether it holds now. */
export function evaluateCheck(
  check: Check,
  seen: { readonly fleet: Fleet; readonly faults: ReadonlyMap<string, Fault> },
): CheckResult {
  const { fleet } = seen;
  switch (check.kind) {
    case 'nothing':
      return { holds: true, says: 'done' };
    case 'fault-over': {
      const fault = seen.faults.get(faultKey(check.playbook, check.target));
      const says = fault?.evidence[0]?.signal.says;
      return says === undefined
        ? { holds: true, says: 'nothing says that the fault stands' }
        : { holds: false, says: `still: ${says}` };
    }
    case 'condition': {
      const found = findCondition(findTarget(fleet, check.target)?.status?.conditions, check.type);
      const is = found?.status ?? 'absent';
      return { holds: is === check.status, says: `${check.type} is ${is}` };
    }
    case 'node-empty': {
      const prefix = workloadLabel('');
      const left = Object.keys(fleet.devices.get(check.node)?.metadata.labels ?? {})
        .filter((key) => key.startsWith(prefix))
        .map((key) => key.slice(prefix.length));
      return left.length === 0
        ? { holds: true, says: 'nothing is left on it' }
        : { holds: false, says: `still there: ${left.join(', ')}` };
    }
    case 'workloads-ready': {
      const short = check.workloads.filter((name) => {
        const counts = fleet.workloads.get(name)?.status?.counts;
        return counts !== undefined && counts.ready < counts.desired;
      });
      return short.length === 0
        ? { holds: true, says: 'all replicas are ready' }
        : { holds: false, says: `not ready: ${short.join(', ')}` };
    }
    case 'workload-left': {
      const label = workloadLabel(check.workload);
      const isThere = fleet.devices.get(check.node)?.metadata.labels?.[label] !== undefined;
      return isThere
        ? { holds: false, says: `workload ${check.workload} is still on node ${check.node}` }
        : { holds: true, says: `workload ${check.workload} left node ${check.node}` };
    }
    case 'delivery-settled': {
      const { revision = 0, conditions } = fleet.deliveries.get(check.delivery)?.status ?? {};
      const ready = findCondition(conditions, 'Ready');
      const holds = revision > check.above && ready?.status === 'True';
      return { holds, says: `revision ${revision}: ${ready?.message ?? 'not looked at yet'}` };
    }
    case 'channel-flushed': {
      const { flushed = 0 } = fleet.channels.get(check.channel)?.status ?? {};
      const says = `every edge has done flush ${flushed}, of ${check.generation}`;
      return { holds: flushed >= check.generation, says };
    }
    case 'channel-primed': {
      const { spec, status, metadata } = fleet.channels.get(check.channel) ?? {};
      const primed = findCondition(status?.conditions, 'Primed');
      // What its condition says of a spec before this one is not what was asked for.
      const isCurrent =
        (spec?.prime.generation ?? 0) >= check.generation &&
        primed?.observedGeneration === metadata?.generation;
      const says = primed?.message ?? 'not looked at yet';
      return { holds: isCurrent && primed?.status === 'True', says };
    }
    case 'segment-ready': {
      const { epoch = 0, state = 'Pending' } = fleet.segments.get(check.segment)?.status ?? {};
      const holds = epoch > check.above && (state === 'Ready' || state === 'Leasing');
      return { holds, says: `version ${epoch} is ${state}` };
    }
    case 'vni-changed': {
      const { vni, state } = fleet.segments.get(check.segment)?.status ?? {};
      const holds = vni !== undefined && vni !== check.was && state === 'Ready';
      return { holds, says: `VNI ${vni ?? 'none'}, ${state ?? 'Pending'}` };
    }
    case 'keys-above': {
      const fabric = check.allocation.slice('fabric.'.length);
      const steps = [...fleet.nodes.values()]
        .filter(({ spec }) => (spec.fabric ?? 'default') === fabric)
        .flatMap(({ status }) => status?.keyring?.step ?? []);
      const step = Math.max(...steps, -1);
      return { holds: step > check.step, says: `step ${step}` };
    }
  }
}
