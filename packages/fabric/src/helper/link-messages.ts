import { addressBytes, type LinkState, type Operation, type PortEnd } from '@tapline/segments';
import type { MessageWriter } from './message-writer.ts';
import { netlinkFlag } from './netlink-flag.ts';

/** A bridge, a VXLAN device or a port whose other end stays on the node. */
export type LinkOperation = Extract<Operation, { readonly kind: 'link-add' }>;
/** The end of a port on the node gets its addresses and comes up. */
export type EndOperation = Extract<Operation, { readonly kind: 'end-place' }>;

// linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h, linux/veth.h and linux/if.h.
const message = { newLink: 16, newAddress: 20 } as const;
const link = {
  mac: 1,
  name: 3,
  mtu: 4,
  master: 10,
  info: 18,
  families: 26,
  group: 27,
  sendQueues: 31,
  receiveQueues: 32,
} as const;
const info = { kind: 1, data: 2, slaveKind: 4, slaveData: 5 } as const;
const bridge = { vlanFiltering: 7, mcastSnooping: 23, defaultPvid: 39 } as const;
const vxlan = {
  vni: 1,
  lower: 3,
  local: 4,
  learning: 7,
  port: 15,
  local6: 17,
  gbp: 23,
  external: 25,
  dontFragment: 29,
  vnifilter: 30,
} as const;
const port = {
  hairpin: 4,
  learning: 8,
  flood: 9,
  vlanTunnel: 29,
  neighSuppress: 32,
  isolated: 33,
} as const;
const peerOfVeth = 1;
const inet6 = 10;
const addressMode = { attribute: 8, none: 1 } as const;
const up = 1;
const address = { address: 1, local: 2, noDad: 0x02 } as const;

export function isLinkOperation({ link: { kind }, end }: LinkOperation): boolean {
  if (kind === 'veth') return end?.place.kind === 'host';
  return kind === 'bridge' || kind === 'vxlan';
}

/** The messages that `ip link add` and `ip link set … type bridge_slave` would send. */
export function writeLink(
  writer: MessageWriter,
  { link: given, end }: LinkOperation,
  options: { readonly indexOf: (device: string) => number; readonly group: number | undefined },
): void {
  const { name, mac, mtu, master, kind, bridgePort } = given;
  const { indexOf, group } = options;
  const { request, create, exclusive } = netlinkFlag;
  writer.begin(message.newLink, request | create | exclusive);
  writer.fixed(16);
  writer.text(link.name, name);
  if (mac !== '') writer.mac(link.mac, mac);
  writer.u32(link.mtu, mtu);
  if (master !== undefined) writer.u32(link.master, indexOf(master));
  if (group !== undefined) writer.u32(link.group, group);
  if (end !== undefined) oneQueue(writer);
  const details = writer.nest(link.info);
  writer.text(info.kind, kind);
  const data = writer.nest(info.data);
  if (kind === 'bridge') writeBridge(writer, given);
  else if (kind === 'vxlan') writeVxlan(writer, given, indexOf);
  else if (end !== undefined) writePeer(writer, end);
  writer.closeNest(data);
  writer.closeNest(details);
  writer.end();
  if (bridgePort === undefined && group !== undefined) return;
  writer.begin(message.newLink, request);
  writer.fixed(16);
  writer.text(link.name, name);
  if (bridgePort !== undefined) writeBridgePort(writer, bridgePort);
  if (group === undefined) {
    const families = writer.nest(link.families);
    const six = writer.nest(inet6);
    writer.u8(addressMode.attribute, addressMode.none);
    writer.closeNest(six);
    writer.closeNest(families);
  }
  writer.end();
}

/** The messages that `ip address replace` and `ip link set … up` would send. */
export function writeEnd(
  writer: MessageWriter,
  { end }: EndOperation,
  indexOf: (device: string) => number,
): void {
  const { request, create, replace } = netlinkFlag;
  const { name, addresses, prefixLengths, mtu } = end;
  for (const [number, text] of addresses.entries()) {
    const own = addressBytes(text);
    writer.begin(message.newAddress, request | create | replace);
    const { bytes, at } = writer.fixed(8);
    bytes.writeUInt8(own.length === 4 ? 2 : inet6, at);
    bytes.writeUInt8(prefixLengths[number] ?? 0, at + 1);
    // Nobody else can have it, so there is nothing to wait for.
    if (own.length === 16) bytes.writeUInt8(address.noDad, at + 2);
    bytes.writeInt32LE(indexOf(name), at + 4);
    writer.attribute(address.local, own);
    writer.attribute(address.address, own);
    writer.end();
  }
  writer.begin(message.newLink, request);
  const { bytes, at } = writer.fixed(16);
  bytes.writeInt32LE(indexOf(name), at + 4);
  bytes.writeUInt32LE(up, at + 8);
  bytes.writeUInt32LE(up, at + 12);
  writer.u32(link.mtu, mtu);
  writer.end();
}

/** What a veth uses anyway. */
function oneQueue(writer: MessageWriter): void {
  writer.u32(link.sendQueues, 1);
  writer.u32(link.receiveQueues, 1);
}

function writeBridge(writer: MessageWriter, { bridge: flags }: LinkState): void {
  writer.u8(bridge.mcastSnooping, flags?.mcastSnooping === true ? 1 : 0);
  if (flags?.vlanFiltering === true) writer.u8(bridge.vlanFiltering, 1);
  if (flags?.defaultPvid === 0) writer.u16(bridge.defaultPvid, 0);
}

function writeVxlan(
  writer: MessageWriter,
  { vxlan: flags, lower }: LinkState,
  indexOf: (device: string) => number,
): void {
  if (flags === undefined) return;
  if (!flags.external && flags.vni !== undefined) writer.u32(vxlan.vni, flags.vni);
  if (flags.external) writer.u8(vxlan.external, 1);
  if (flags.vnifilter) writer.u8(vxlan.vnifilter, 1);
  if (lower !== undefined) writer.u32(vxlan.lower, indexOf(lower));
  const local = addressBytes(flags.local);
  writer.attribute(local.length === 4 ? vxlan.local : vxlan.local6, local);
  writer.attribute(vxlan.port, Uint8Array.of(flags.port >>> 8, flags.port & 0xff));
  writer.u8(vxlan.learning, flags.learning ? 1 : 0);
  if (flags.gbp) writer.attribute(vxlan.gbp, new Uint8Array());
  // An outer packet in fragments would hide that the MTU is wrong.
  writer.u8(vxlan.dontFragment, 1);
}

function writePeer(writer: MessageWriter, { name, mac, mtu }: PortEnd): void {
  const peer = writer.nest(peerOfVeth);
  writer.fixed(16);
  writer.text(link.name, name);
  oneQueue(writer);
  writer.mac(link.mac, mac);
  writer.u32(link.mtu, mtu);
  writer.closeNest(peer);
}

function writeBridgePort(writer: MessageWriter, flags: NonNullable<LinkState['bridgePort']>): void {
  const details = writer.nest(link.info);
  writer.text(info.slaveKind, 'bridge');
  const data = writer.nest(info.slaveData);
  writer.u8(port.learning, flags.learning ? 1 : 0);
  writer.u8(port.flood, flags.flood ? 1 : 0);
  writer.u8(port.neighSuppress, flags.neighSuppress ? 1 : 0);
  writer.u8(port.hairpin, flags.hairpin ? 1 : 0);
  writer.u8(port.isolated, flags.isolated ? 1 : 0);
  if (flags.vlanTunnel) writer.u8(port.vlanTunnel, 1);
  writer.closeNest(data);
  writer.closeNest(details);
}
