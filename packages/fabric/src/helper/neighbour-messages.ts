import { addressBytes, floodMac, type Operation } from '@tapline/segments';
import type { MessageWriter } from './message-writer.ts';
import { netlinkFlag } from './netlink-flag.ts';

/** An entry of a forwarding database or of a neighbour table that is added. */
export type NeighbourOperation = Extract<Operation, { readonly kind: 'fdb-add' | 'neighbour-add' }>;

/** linux/neighbour.h, and RTM_NEWNEIGH of linux/rtnetlink.h. */
const newNeighbour = 28;
const attribute = { destination: 1, mac: 2, vlan: 5, index: 8, sourceVni: 11 } as const;
const state = { reachable: 0x02, noArp: 0x40, permanent: 0x80 } as const;
const flag = { self: 0x02, master: 0x04 } as const;
const family = { bridge: 7, inet: 2, inet6: 10 } as const;

/** The message that `bridge fdb` or `ip neigh` would send. Throws `address_invalid`. */
export function writeNeighbour(
  writer: MessageWriter,
  operation: NeighbourOperation,
  indexOf: (device: string) => number,
): void {
  const entry = entryOf(operation);
  const address = entry.address === undefined ? undefined : addressBytes(entry.address);
  writer.begin(newNeighbour, netlinkFlag.request | entry.how);
  const { bytes, at } = writer.fixed(12);
  if (operation.kind === 'fdb-add') bytes.writeUInt8(family.bridge, at);
  else bytes.writeUInt8(address?.length === 4 ? family.inet : family.inet6, at);
  bytes.writeInt32LE(indexOf(entry.dev), at + 4);
  bytes.writeUInt16LE(entry.state, at + 8);
  bytes.writeUInt8(entry.flags, at + 10);
  if (address !== undefined) writer.attribute(attribute.destination, address);
  writer.mac(attribute.mac, entry.mac);
  if (entry.vlan !== undefined) writer.u16(attribute.vlan, entry.vlan);
  if (entry.via !== undefined) writer.u32(attribute.index, indexOf(entry.via));
  if (entry.srcVni !== undefined) writer.u32(attribute.sourceVni, entry.srcVni);
  writer.end();
}

interface Entry {
  readonly dev: string;
  readonly mac: string;
  readonly address?: string | undefined;
  readonly vlan?: number | undefined;
  readonly srcVni?: number | undefined;
  readonly via?: string | undefined;
  readonly how: number;
  readonly state: number;
  readonly flags: number;
}

function entryOf(operation: NeighbourOperation): Entry {
  const { create, replace, append, exclusive } = netlinkFlag;
  if (operation.kind === 'neighbour-add') {
    const { dev, mac, address } = operation.neighbour;
    return { dev, mac, address, how: create | replace, state: state.permanent, flags: 0 };
  }
  const { entry, bridged } = operation;
  const { dev, mac, dst, vlan, srcVni, via, self } = entry;
  const how = create | (mac === floodMac && bridged !== true ? append : exclusive);
  // `permanent` in a bridge would be the node itself.
  const lasting = self && bridged !== true ? state.permanent : state.reachable;
  const flags = (self ? flag.self : flag.master) | (bridged === true ? flag.master : 0);
  return { dev, mac, address: dst, vlan, srcVni, via, how, state: state.noArp | lasting, flags };
}
