import { TaplineError } from '@tapline/base';
import type {
  FabricIntent,
  NodeIntent,
  PortIntent,
  SegmentIntent,
} from '../intent/segment-intent.ts';
import { groupId } from '../names/group-id.ts';
import { portMac } from '../names/port-mac.ts';
import { addressBytes, macBytes } from './address-bytes.ts';
import { read16, read32 } from './bytes.ts';

/** A port as the switch of one node sees it. */
export interface SwitchPort {
  readonly vni: number;
  readonly intent: PortIntent;
  readonly group: number;
  readonly mac: Uint8Array;
  /** IPv4 addresses as numbers. */
  readonly ipv4: readonly number[];
  /** IPv6 addresses with the link-local one that follows from the MAC. */
  readonly ipv6: readonly Uint8Array[];
  /** Number of the peer that has it; -1 for a port of this node. */
  readonly peer: number;
  /** Number of the port on this node; -1 for one of a peer. */
  readonly local: number;
}

/** Another node, with which this one shares segments. */
export interface SwitchPeer {
  readonly node: NodeIntent;
}

export interface SwitchSegment {
  readonly intent: SegmentIntent;
  /** The longest frame: MTU and an Ethernet header. */
  readonly frameBytes: number;
  readonly byIndex: ReadonlyMap<number, SwitchPort>;
  readonly byIpv4: ReadonlyMap<number, SwitchPort>;
  /** By the hexadecimal of the address: neighbour discovery is rare. */
  readonly byIpv6: ReadonlyMap<string, SwitchPort>;
  readonly local: readonly SwitchPort[];
  /** Peers with ports, and the groups of these: where to flood what. */
  readonly flood: readonly { readonly peer: number; readonly groups: readonly number[] }[];
}

/** Everything that a node's switch looks up; a pure function of the intent. */
export interface SwitchTables {
  readonly ports: readonly SwitchPort[];
  readonly peers: readonly SwitchPeer[];
  readonly segments: ReadonlyMap<number, SwitchSegment>;
}

/** Throws `node_unknown` where the intent does not name the node. */
export function switchTables(intent: FabricIntent, nodeName: string): SwitchTables {
  if (!intent.nodes.some(({ name }) => name === nodeName)) {
    throw new TaplineError(
      'node_unknown',
      `node ${nodeName} is not among the fabric's ${intent.nodes.length}`,
    );
  }
  const here = intent.segments.filter(({ ports }) => ports.some(({ node }) => node === nodeName));
  const sharing = new Set(here.flatMap(({ ports }) => ports.map(({ node }) => node)));
  sharing.delete(nodeName);
  const peers = intent.nodes.filter(({ name }) => sharing.has(name)).map((node) => ({ node }));
  const peerNumbers = new Map(peers.map(({ node }, number) => [node.name, number]));
  const ports: SwitchPort[] = [];
  const segments = new Map<number, SwitchSegment>();
  for (const segment of here) {
    const all: SwitchPort[] = [];
    for (const port of segment.ports) {
      const peer = peerNumbers.get(port.node) ?? -1;
      const isHere = port.node === nodeName;
      // A node that the intent does not have has no address to send to.
      if (!isHere && peer < 0) continue;
      const made = switchPort(segment, port, { peer, local: isHere ? ports.length : -1 });
      if (isHere) ports.push(made);
      all.push(made);
    }
    segments.set(segment.vni, switchSegment(segment, all));
  }
  return { ports, peers, segments };
}

function switchPort(
  segment: SegmentIntent,
  intent: PortIntent,
  place: { readonly peer: number; readonly local: number },
): SwitchPort {
  const { vni } = segment;
  const mac = macBytes(portMac(vni, intent.index));
  const addresses = intent.addresses.map((text) => addressBytes(text));
  return {
    vni,
    intent,
    group: groupId(intent.role, segment.communities),
    mac,
    ipv4: addresses.filter(({ length }) => length === 4).map((bytes) => read32(bytes, 0)),
    ipv6: [...addresses.filter(({ length }) => length === 16), linkLocal(mac)],
    ...place,
  };
}

/** The address that Linux gives an interface of its own accord (RFC 4291, appendix A). */
function linkLocal(mac: Uint8Array): Uint8Array {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac;
  return Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f);
}

function switchSegment(intent: SegmentIntent, ports: readonly SwitchPort[]): SwitchSegment {
  const remote = Map.groupBy(
    ports.filter(({ peer }) => peer >= 0),
    ({ peer }) => peer,
  );
  return {
    intent,
    frameBytes: intent.mtu + 14,
    byIndex: new Map(ports.map((port) => [port.intent.index, port])),
    byIpv4: new Map(ports.flatMap((port) => port.ipv4.map((address) => [address, port]))),
    byIpv6: new Map(
      ports.flatMap((port) => port.ipv6.map((address) => [ipv6Key(address, 0), port])),
    ),
    local: ports.filter(({ local }) => local >= 0),
    flood: [...remote].map(([peer, theirs]) => ({
      peer,
      groups: [...new Set(theirs.map(({ group }) => group))],
    })),
  };
}

export function ipv6Key(bytes: Uint8Array, at: number): string {
  return [0, 4, 8, 12].map((offset) => read32(bytes, at + offset).toString(16)).join(':');
}

/** The port whose MAC is at `at`; a segment's MACs differ in their last two bytes only. */
export function portAt(
  segment: SwitchSegment,
  bytes: Uint8Array,
  at: number,
): SwitchPort | undefined {
  if (read32(bytes, at) !== (0x02000000 | segment.intent.vni) >>> 0) return undefined;
  return segment.byIndex.get(read16(bytes, at + 4));
}
