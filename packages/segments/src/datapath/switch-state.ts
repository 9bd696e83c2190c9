import { formatIpAddress } from '../address/ip-address.ts';
import { compileSegment } from '../compile/compile-segment.ts';
import { mergeStates } from '../compile/merge-states.ts';
import { nftTables } from '../compile/nft-tables.ts';
import type { LocalPort, RemotePort, SegmentView } from '../compile/segment-view.ts';
import type { SegmentPath } from '../encryption/segment-path.ts';
import type { NodeIntent } from '../intent/segment-intent.ts';
import { portEndName, portName, vxlanName } from '../names/interface-names.ts';
import { emptyState } from '../state/empty-state.ts';
import type { NodeState } from '../state/node-state.ts';
import { mayReachGroup } from './may-reach-group.ts';
import type { SwitchPort, SwitchSegment } from './switch-tables.ts';

/** What a running switch has for the segments that go one way between nodes. */
export interface SwitchedSegments {
  readonly path: SegmentPath;
  /** Where its socket is. */
  readonly local: string;
  readonly vxlanPort: number;
  readonly segments: readonly SwitchSegment[];
  /** By their numbers: where packets for them go, and whose packets are theirs. */
  readonly peers: readonly { readonly node: string; readonly address: string }[];
  /** Interfaces of workloads that are open. */
  readonly open: readonly string[];
}

/**
 * A switch's tables as the state of a kernel that does the same with frames, so that whoever verifies
 * nodes need not know which of them switch for themselves. What it does with its tables is its code,
 * as it is the kernel's; what is in them is read from the thread that runs.
 */
export function switchState(node: NodeIntent, carriers: readonly SwitchedSegments[]): NodeState {
  const [first] = carriers;
  if (first === undefined) return emptyState;
  return mergeStates([
    { ...emptyState, nft: { tables: nftTables(first.vxlanPort) } },
    ...carriers.flatMap((carrier) =>
      carrier.segments.map((segment) => stateOf(segment, carrier, node)),
    ),
  ]);
}

function stateOf(
  { intent: segment, byIndex }: SwitchSegment,
  { path, local: source, vxlanPort, peers, open }: SwitchedSegments,
  node: NodeIntent,
): NodeState {
  const all = [...byIndex.values()].map((port) => ({ port, read: readPort(port) }));
  const local = all
    .filter(({ port }) => port.peer < 0)
    .map(({ port, read }): LocalPort => ({
      ...read,
      name: portName(port.vni, port.intent),
      groups: groups(
        all.flatMap((other) =>
          other.port !== port && mayReachGroup(other.port.group, port.group) ? other.read : [],
        ),
      ),
    }));
  const remote = all.flatMap(({ port, read }) => (port.peer < 0 ? [] : [{ port, read }]));
  const addresses = new Map(remote.map(({ port, read }) => [read, peers[port.peer]?.address]));
  const others = remote.map(({ read }) => read);
  const numbers = new Set(remote.map(({ port }) => port.peer));
  const view: SegmentView = {
    segment,
    node,
    vxlanPort,
    vxlan: vxlanName(segment.vni),
    source,
    path,
    // It answers for all of them; to ask is as good as to be let through.
    answers: false,
    vlans: false,
    local,
    remote: others,
    peers: peers.filter((_, number) => numbers.has(number)),
    groupsToOverlay: groups(local.filter((from) => others.some((to) => reaches(from, to)))),
    reachedFrom: (port) => [...local, ...others].filter((to) => reaches(port, to)),
    remoteReachedFrom: (port) => others.filter((to) => reaches(port, to)),
    addressOf: (port) => addresses.get(port) ?? '',
  };
  const ends = new Map(local.map((port) => [port.name, portEndName(segment.vni, port.intent)]));
  const state = compileSegment(view);
  return {
    ...state,
    links: state.links.map((link) => {
      const end = ends.get(link.name);
      return end === undefined || open.includes(end) ? link : { ...link, up: false };
    }),
    ends: [],
  };
}

function groups(list: readonly RemotePort[]): readonly number[] {
  return [...new Set(list.map(({ group }) => group))].toSorted((a, b) => a - b);
}

function reaches(from: RemotePort, to: RemotePort): boolean {
  return from.mac !== to.mac && mayReachGroup(from.group, to.group);
}

function readPort({ intent, mac, group, ipv4, ipv6 }: SwitchPort): RemotePort {
  return {
    intent,
    mac: [...mac].map((byte) => byte.toString(16).padStart(2, '0')).join(':'),
    group,
    addresses4: ipv4.map((value) => formatIpAddress({ family: 4, value: BigInt(value) })),
    addresses6: ipv6.map((bytes) => {
      const value = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
      return formatIpAddress({ family: 6, value });
    }),
  };
}
