import { isRecord, TaplineError } from '@tapline/base';
import { nftSets, nftTableName, type Operation, parseIpAddress } from '@tapline/segments';

/** What changes elements of sets, and nothing else. */
export type ElementOperation = Extract<
  Operation,
  { readonly kind: 'elements-add' | 'elements-delete' }
>;

/** linux/netfilter/nf_tables.h and nfnetlink.h. */
const nf = {
  subsystem: 10,
  begin: 0x10,
  end: 0x11,
  newElement: 12,
  deleteElement: 14,
  families: { bridge: 7, inet: 1, arp: 3 },
  list: { table: 1, set: 2, elements: 3 },
  element: { key: 1, data: 2 },
  value: 1,
  item: 1,
} as const;
/** linux/netlink.h. */
const request = 0x1;
const acknowledge = 0x4;
const create = 0x400;
const nested = 0x8000;
/** An attribute has 16 bits for its length, and none of our elements has more than 100 bytes. */
const elementsOfMessage = 500;

export interface ElementBatch {
  readonly bytes: Uint8Array;
  /** Sequence number of the last message, which the kernel answers. */
  readonly last: number;
  /** The operation that a message is of, by its sequence number. */
  readonly operations: readonly number[];
}

/**
 * One transaction of nf_tables as the kernel takes it. Throws `element_invalid` where an element is
 * not of its set's type.
 */
export function elementBatch(operations: readonly ElementOperation[]): ElementBatch {
  // The first message is the one that begins.
  const owners: number[] = [-1];
  const messages: Uint8Array[] = [];
  const chunks = operations.flatMap((operation, index) => {
    const list: { operation: ElementOperation; index: number; elements: readonly unknown[] }[] = [];
    for (let at = 0; at < operation.elements.length; at += elementsOfMessage) {
      const elements = operation.elements.slice(at, at + elementsOfMessage);
      list.push({ operation, index, elements });
    }
    return list;
  });
  messages.push(message({ type: nf.begin, flags: request, sequence: 0, resource: nf.subsystem }));
  for (const [number, { operation, index, elements }] of chunks.entries()) {
    const isLast = number === chunks.length - 1;
    const adds = operation.kind === 'elements-add';
    const set = nftSets.find(({ name }) => name === operation.set);
    if (set === undefined) throw invalid(operation.set, 'no such set');
    const [keys = '', value] = set.declaration.replace(/^type(of)? /, '').split(' : ');
    const types = { keys: keys.split(' . '), value };
    owners.push(index);
    messages.push(
      message({
        type: (nf.subsystem << 8) | (adds ? nf.newElement : nf.deleteElement),
        flags: request | (adds ? create : 0) | (isLast ? acknowledge : 0),
        sequence: owners.length - 1,
        family: nf.families[set.table],
        body: [
          attribute(nf.list.table, text(nftTableName)),
          attribute(nf.list.set, text(set.name)),
          attribute(
            nf.list.elements | nested,
            ...elements.map((element) => elementAttribute(element, types)),
          ),
        ],
      }),
    );
  }
  const sequence = owners.length;
  messages.push(message({ type: nf.end, flags: request, sequence, resource: nf.subsystem }));
  return { bytes: Buffer.concat(messages), last: sequence - 1, operations: owners };
}

interface SetTypes {
  readonly keys: readonly string[];
  readonly value: string | undefined;
}

function elementAttribute(element: unknown, { keys, value }: SetTypes): Uint8Array {
  const [key, mapped] =
    value !== undefined && Array.isArray(element) ? (element as unknown[]) : [element];
  const parts =
    isRecord(key) && Array.isArray(key['concat']) ? (key['concat'] as unknown[]) : [key];
  if (parts.length !== keys.length) throw invalid(element, `${keys.length} parts are needed`);
  const fields = parts.map((part, at) => fieldBytes(keys[at] ?? '', part));
  // Parts of a key begin at words; a key of one part is as long as that.
  const bytes = fields.length === 1 ? fields : fields.map(padded);
  return attribute(
    nf.item | nested,
    attribute(nf.element.key | nested, attribute(nf.value, ...bytes)),
    ...(value === undefined
      ? []
      : [attribute(nf.element.data | nested, attribute(nf.value, fieldBytes(value, mapped)))]),
  );
}

/** A value as the kernel compares it: in network order, but for marks. */
function fieldBytes(type: string, value: unknown): Uint8Array {
  switch (type) {
    case 'ifname':
    case 'iifname': {
      if (typeof value !== 'string' || value.length > 15) throw invalid(value, type);
      const name = Buffer.alloc(16);
      name.write(value, 'latin1');
      return name;
    }
    case 'ether_addr': {
      if (typeof value !== 'string' || !/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(value)) break;
      return Buffer.from(value.replaceAll(':', ''), 'hex');
    }
    case 'ipv4_addr':
    case 'ip saddr':
      return addressBytes(value, 4);
    case 'ipv6_addr':
    case 'ip6 saddr':
      return addressBytes(value, 6);
    case 'mark': {
      if (typeof value !== 'number') break;
      const mark = Buffer.alloc(4);
      mark.writeUInt32LE(value);
      return mark;
    }
    case '@th,96,24': {
      if (typeof value !== 'number' || value > 0xffffff) break;
      const vni = Buffer.alloc(3);
      vni.writeUIntBE(value, 0, 3);
      return vni;
    }
    case '@th,64,128': {
      if (typeof value !== 'string' || !/^0x[0-9a-f]{1,32}$/.test(value)) break;
      return Buffer.from(value.slice(2).padStart(32, '0'), 'hex');
    }
    default:
  }
  throw invalid(value, type);
}

function addressBytes(value: unknown, wanted: 4 | 6): Uint8Array {
  const { family, value: number } = parseIpAddress(String(value));
  if (family !== wanted) throw invalid(value, `IPv${wanted}`);
  return Buffer.from(number.toString(16).padStart(wanted === 4 ? 8 : 32, '0'), 'hex');
}

function message(options: {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly family?: number;
  /** Of the subsystem that a transaction is for. */
  readonly resource?: number;
  readonly body?: readonly Uint8Array[];
}): Uint8Array {
  const body = Buffer.concat(options.body ?? []);
  // struct nlmsghdr and struct nfgenmsg.
  const head = Buffer.alloc(20);
  head.writeUInt32LE(head.length + body.length, 0);
  head.writeUInt16LE(options.type, 4);
  head.writeUInt16LE(options.flags, 6);
  head.writeUInt32LE(options.sequence, 8);
  head.writeUInt8(options.family ?? 0, 16);
  head.writeUInt16BE(options.resource ?? 0, 18);
  return Buffer.concat([head, body]);
}

/** struct nlattr; its length is without the padding. */
function attribute(type: number, ...content: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(content);
  const head = Buffer.alloc(4);
  head.writeUInt16LE(head.length + body.length, 0);
  head.writeUInt16LE(type, 2);
  return padded(Buffer.concat([head, body]));
}

function padded(bytes: Uint8Array): Uint8Array {
  const rest = bytes.length % 4;
  return rest === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(4 - rest)]);
}

function text(value: string): Uint8Array {
  return Buffer.from(`${value}\0`, 'latin1');
}

function invalid(value: unknown, why: string): TaplineError {
  const shown = (JSON.stringify(value) ?? 'nothing').slice(0, 80);
  return new TaplineError('element_invalid', `element ${shown} is not of its set: ${why}`);
}
