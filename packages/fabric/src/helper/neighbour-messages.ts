import { addressBytes, floodMac, type Operation } from '@tapline/segments';

/** An entry of a forwarding database or of a neighbour table that is added. */
export type NeighbourOperation = Extract<Operation, { readonly kind: 'fdb-add' | 'neighbour-add' }>;

/** linux/neighbour.h, and RTM_NEWNEIGH of linux/rtnetlink.h. */
const newNeighbour = 28;
const attribute = { destination: 1, mac: 2, vlan: 5, index: 8, sourceVni: 11 } as const;
const state = { reachable: 0x02, noArp: 0x40, permanent: 0x80 } as const;
const flag = { self: 0x02, master: 0x04 } as const;
const family = { bridge: 7, inet: 2, inet6: 10 } as const;
/** linux/netlink.h. */
const request = 0x1;
const acknowledge = 0x4;
const replace = 0x100;
const exclusive = 0x200;
const create = 0x400;
const append = 0x800;

/** Header, struct ndmsg, and an attribute of each kind at its longest. */
const mostBytes = 16 + 12 + 20 + 12 + 8 + 8 + 8;

/**
 * The messages that `bridge fdb` and `ip neigh` would send, each with its index as sequence number;
 * the kernel answers the last one, and whichever fails. Throws `address_invalid`.
 */
export function neighbourMessages(
  operations: readonly NeighbourOperation[],
  indexOf: (device: string) => number,
): Uint8Array {
  const bytes = Buffer.alloc(operations.length * mostBytes);
  const addresses = new Map<string, Uint8Array>();
  let at = 0;
  function attach(type: number, size: number): number {
    bytes.writeUInt16LE(4 + size, at);
    bytes.writeUInt16LE(type, at + 2);
    const content = at + 4;
    at = content + ((size + 3) & ~3);
    return content;
  }
  for (const [sequence, operation] of operations.entries()) {
    const start = at;
    const entry = entryOf(operation);
    at += 28;
    let bridged = true;
    if (entry.address !== undefined) {
      let address = addresses.get(entry.address);
      if (address === undefined) {
        addresses.set(entry.address, (address = addressBytes(entry.address)));
      }
      bytes.set(address, attach(attribute.destination, address.length));
      bridged = operation.kind === 'fdb-add';
      if (!bridged) bytes.writeUInt8(address.length === 4 ? family.inet : family.inet6, start + 16);
    }
    if (bridged) bytes.writeUInt8(family.bridge, start + 16);
    bytes.write(entry.mac.replaceAll(':', ''), attach(attribute.mac, 6), 'hex');
    if (entry.vlan !== undefined) bytes.writeUInt16LE(entry.vlan, attach(attribute.vlan, 2));
    if (entry.via !== undefined) bytes.writeInt32LE(indexOf(entry.via), attach(attribute.index, 4));
    if (entry.srcVni !== undefined) {
      bytes.writeUInt32LE(entry.srcVni, attach(attribute.sourceVni, 4));
    }
    const isLast = sequence === operations.length - 1;
    bytes.writeUInt32LE(at - start, start);
    bytes.writeUInt16LE(newNeighbour, start + 4);
    bytes.writeUInt16LE(request | entry.how | (isLast ? acknowledge : 0), start + 6);
    bytes.writeUInt32LE(sequence, start + 8);
    bytes.writeInt32LE(indexOf(entry.dev), start + 20);
    bytes.writeUInt16LE(entry.state, start + 24);
    bytes.writeUInt8(entry.flags, start + 26);
  }
  return bytes.subarray(0, at);
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
