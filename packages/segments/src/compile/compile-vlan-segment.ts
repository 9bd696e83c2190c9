import { vlanBridgeName } from '../names/interface-names.ts';
import { emptyState } from '../state/empty-state.ts';
import type { ArrivalMark, FdbEntry, NodeState, PortVlan } from '../state/node-state.ts';
import { egressProgram } from './egress-program.ts';
import { elementTables } from './element-tables.ts';
import { segmentElements } from './segment-elements.ts';
import { floodMac, wayOut } from './segment-fdb.ts';
import { portLinks, segmentEnds } from './segment-links.ts';
import type { SegmentView } from './segment-view.ts';

/** VXLAN's group policy id. */
const groupBits = 0xffff;

/**
 * A segment that is one VLAN of the node's bridge. Its VLAN is mapped to its VNI in the VXLAN device
 * that it shares with others, and is part of its marks.
 */
export function compileVlanSegment(view: SegmentView, vlan: number): NodeState {
  const { segment, vxlan: dev, peers, local } = view;
  const { vni } = segment;
  const spans = peers.length > 0;
  return {
    ...emptyState,
    links: portLinks(view, vlanBridgeName),
    fdb: entries(view, vlan),
    portVlans: [
      ...local.map(({ name }): PortVlan => ({ dev: name, vlan, pvid: true, untagged: true })),
      ...(spans ? [{ dev, vlan, pvid: false, untagged: false }] : []),
    ],
    vlans: spans ? [{ dev, vlan, vni }] : [],
    vnis: spans ? [{ dev, first: vni, last: vni }] : [],
    arrivals: arrivals(view),
    egress: local.map(({ name, groups }) => ({
      dev: name,
      preference: 1,
      program: egressProgram(groups),
    })),
    nft: { tables: elementTables(segmentElements(view)) },
    ends: segmentEnds(view),
  };
}

function entries(view: SegmentView, vlan: number): readonly FdbEntry[] {
  const { vxlan: dev, segment, local, peers, remote } = view;
  const srcVni = segment.vni;
  const way = wayOut(view.path);
  return [
    ...local.map(({ name, mac }): FdbEntry => ({ dev: name, mac, vlan, self: false })),
    ...peers.map(({ address }): FdbEntry => {
      return { dev, mac: floodMac, dst: address, srcVni, ...way, self: true };
    }),
    ...remote.flatMap((port): readonly FdbEntry[] => [
      { dev, mac: port.mac, vlan, self: false },
      { dev, mac: port.mac, dst: view.addressOf(port), srcVni, ...way, self: true },
    ]),
  ];
}

/** Only groups that some port of another node has: a frame of any other reaches nobody. */
function arrivals({ vxlan: dev, segment, remote }: SegmentView): readonly ArrivalMark[] {
  return [...new Set(remote.map(({ group }) => group))].map((mark) => ({
    dev,
    preference: 1,
    handle: mark,
    vni: segment.vni,
    group: mark & groupBits,
    mark,
  }));
}
