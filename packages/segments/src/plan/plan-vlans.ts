import { isSegmentInterface } from '../names/interface-names.ts';
import type { NodeState } from '../state/node-state.ts';
import { listDifference } from './list-difference.ts';
import type { Operation } from './operation.ts';
import type { LinkPlan } from './plan-links.ts';

interface Changes {
  readonly removals: readonly Operation[];
  readonly additions: readonly Operation[];
}

/** Of bridges that have VLANs: whose they are, which VNI each has, and what arrivals are marked with. */
export function planVlans(
  desired: NodeState,
  observed: NodeState,
  { gone, joined }: Pick<LinkPlan, 'gone' | 'joined'>,
): { readonly members: Changes; readonly arrivals: Changes } {
  const stays = ({ dev }: { readonly dev: string }): boolean =>
    isSegmentInterface(dev) && !gone.has(dev) && !joined.has(dev);
  const members = listDifference(
    desired.portVlans ?? [],
    (observed.portVlans ?? []).filter(stays),
    ({ dev, vlan, pvid, untagged }) => `${dev} ${vlan} ${pvid} ${untagged}`,
  );
  const lost = new Set(members.removed.map(({ dev, vlan }) => `${dev} ${vlan}`));
  const tunnels = listDifference(
    desired.vlans,
    observed.vlans.filter((tunnel) => stays(tunnel)),
    ({ dev, vlan, vni }) => `${dev} ${vlan} ${vni}`,
  );
  // A VLAN that goes takes its VNI along, and may come again with other flags.
  const again = desired.vlans.filter(
    (tunnel) => lost.has(`${tunnel.dev} ${tunnel.vlan}`) && !tunnels.added.includes(tunnel),
  );
  return {
    members: {
      removals: [
        ...[...tunnels.removed, ...again].map((tunnel): Operation => ({
          kind: 'tunnel-delete',
          tunnel,
        })),
        ...members.removed.map((member): Operation => ({ kind: 'vlan-delete', member })),
      ],
      additions: [
        ...members.added.map((member): Operation => ({ kind: 'vlan-add', member })),
        ...[...tunnels.added, ...again].map((tunnel): Operation => ({
          kind: 'tunnel-add',
          tunnel,
        })),
      ],
    },
    arrivals: planArrivals(desired, observed, gone),
  };
}

function planArrivals(desired: NodeState, observed: NodeState, gone: LinkPlan['gone']): Changes {
  // Somebody else's filters go by their preference, and ours there with them.
  const cleared = new Set(
    observed.foreignFilters.flatMap(({ dev, direction, preference }) =>
      direction === 'ingress' ? [`${dev} ${preference}`] : [],
    ),
  );
  const { removed, added } = listDifference(
    desired.arrivals ?? [],
    (observed.arrivals ?? []).filter(
      ({ dev, preference }) =>
        isSegmentInterface(dev) && !gone.has(dev) && !cleared.has(`${dev} ${preference}`),
    ),
    ({ dev, preference, handle, vni, group, mark }) =>
      `${dev} ${preference} ${handle} ${vni} ${group} ${mark}`,
  );
  const hooked = new Set((observed.hooks ?? []).filter((dev) => !gone.has(dev)));
  const bare = new Set(added.flatMap(({ dev }) => (hooked.has(dev) ? [] : [dev])));
  return {
    removals: removed.map((arrival): Operation => ({ kind: 'arrival-delete', arrival })),
    additions: [
      ...[...bare].map((dev): Operation => ({ kind: 'hook-add', dev })),
      ...added.map((arrival): Operation => ({ kind: 'arrival-add', arrival })),
    ],
  };
}
