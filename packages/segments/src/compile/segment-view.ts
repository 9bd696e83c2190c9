import { formatIpAddress, parseIpAddress } from '../address/ip-address.ts';
import { linkLocal } from '../address/link-local.ts';
import { mayReach } from '../intent/port-role.ts';
import type { NodeIntent, PortIntent, SegmentIntent } from '../intent/segment-intent.ts';
import type { SegmentPath } from '../encryption/segment-path.ts';
import { type CompileContext, segmentPeers } from './segment-peers.ts';
import { groupId } from '../names/group-id.ts';
import { portName, vlanTunnelName, vxlanName } from '../names/interface-names.ts';
import { portMac } from '../names/port-mac.ts';
import { vlanMark } from '../names/vlan-mark.ts';

export interface RemotePort {
  readonly intent: PortIntent;
  readonly mac: string;
  /** What its frames are marked with on this node: its group, below the VLAN where it has one. */
  readonly group: number;
  readonly addresses4: readonly string[];
  /** With the link-local one. */
  readonly addresses6: readonly string[];
}

export interface LocalPort extends RemotePort {
  readonly name: string;
  /** Groups of the segment that may reach it. */
  readonly groups: readonly number[];
}

/** A segment as one node sees it. */
export interface SegmentView {
  readonly segment: SegmentIntent;
  readonly node: NodeIntent;
  readonly vxlanPort: number;
  readonly vxlan: string;
  /** Where its VXLAN packets come from. */
  readonly source: string;
  /** What they go through. */
  readonly path: SegmentPath;
  /** Whether the node answers ARP requests for ports of other nodes. */
  readonly answers: boolean;
  /** Whether the node's bridges have VLANs. */
  readonly vlans: boolean;
  readonly local: readonly LocalPort[];
  readonly remote: readonly RemotePort[];
  /** Other nodes with ports of the segment, and where they take its VXLAN packets. */
  readonly peers: readonly { readonly node: string; readonly address: string }[];
  /** Groups of local ports that may reach some remote one. */
  readonly groupsToOverlay: readonly number[];
  reachedFrom(port: LocalPort): readonly (LocalPort | RemotePort)[];
  remoteReachedFrom(port: LocalPort): readonly RemotePort[];
  addressOf(port: RemotePort): string;
}

/**
 * Undefined where the node has no port of the segment: then it has nothing of it at all. `vlan` is
 * the segment's in a bridge that it shares with others.
 */
export function segmentView(
  segment: SegmentIntent,
  context: CompileContext,
  vlan?: number,
): SegmentView | undefined {
  const { nodes, node } = context;
  const ports = segment.ports.map((port) => identify(port, segment, vlan));
  const mine = ports.filter(({ intent }) => intent.node === node.name);
  if (mine.length === 0) return undefined;
  const { path, peers } = segmentPeers(segment, context);
  const reachable = new Set(peers.map((peer) => peer.node));
  const remote = ports.filter(({ intent }) => reachable.has(intent.node));
  const local = mine.map((port): LocalPort => ({
    ...port,
    name: portName(segment.vni, port.intent),
    groups: groupsOf(
      ports.filter((other) => other !== port && mayReach(other.intent.role, port.intent.role)),
    ),
  }));
  return {
    segment,
    node,
    vxlanPort: context.intent.vxlanPort,
    vxlan: vlan === undefined ? vxlanName(segment.vni) : vlanTunnelName(path),
    source: context.addressOf(node, path) ?? '',
    path,
    // A bridge answers in a VLAN only where the node itself has an interface there.
    answers: context.answers && vlan === undefined,
    vlans: context.vlans,
    local,
    remote,
    peers,
    groupsToOverlay: groupsOf(local.filter((from) => remote.some((to) => reaches(from, to)))),
    reachedFrom: (port) => [...local, ...remote].filter((to) => reaches(port, to)),
    remoteReachedFrom: (port) => remote.filter((to) => reaches(port, to)),
    addressOf(port) {
      const peer = nodes.get(port.intent.node) ?? node;
      return context.addressOf(peer, path) ?? '';
    },
  };
}

function identify(
  intent: PortIntent,
  segment: SegmentIntent,
  vlan: number | undefined,
): RemotePort {
  const group = groupId(intent.role, segment.communities);
  const mac = portMac(segment.vni, intent.index);
  const addresses = intent.addresses.map((text) => parseIpAddress(text));
  return {
    intent,
    mac,
    group: vlan === undefined ? group : vlanMark(vlan, group),
    addresses4: addresses.filter(({ family }) => family === 4).map(formatIpAddress),
    addresses6: [
      ...addresses.filter(({ family }) => family === 6).map(formatIpAddress),
      linkLocal(mac),
    ],
  };
}

function groupsOf(ports: readonly RemotePort[]): readonly number[] {
  return [...new Set(ports.map(({ group }) => group))].toSorted((a, b) => a - b);
}

function reaches(from: RemotePort, to: RemotePort): boolean {
  return from.mac !== to.mac && mayReach(from.intent.role, to.intent.role);
}
