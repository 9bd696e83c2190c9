import type { Operation } from '@tapline/segments';
import type { MessageWriter } from './message-writer.ts';
import { netlinkFlag } from './netlink-flag.ts';

/** A port's filter. */
export type FilterOperation = Extract<Operation, { readonly kind: 'egress-set' }>;

// linux/rtnetlink.h, linux/pkt_sched.h and linux/pkt_cls.h.
const message = { newQdisc: 36, newFilter: 44 } as const;
const attribute = { kind: 1, options: 2 } as const;
const bpf = { count: 4, instructions: 5, flags: 8, directAction: 1 } as const;
const clsact = { handle: 0xffff_0000, parent: 0xffff_fff1, egress: 0xffff_fff3 } as const;
/** ETH_P_ALL, as it is on the wire. */
const allProtocols = 0x0300;

/** The messages that `tc qdisc replace … clsact` and `tc filter replace … bpf` would send. */
export function writeFilter(
  writer: MessageWriter,
  { filter: { dev, preference, program } }: FilterOperation,
  indexOf: (device: string) => number,
): void {
  const { request, create, replace } = netlinkFlag;
  writer.begin(message.newQdisc, request | create | replace);
  head(writer, { index: indexOf(dev), handle: clsact.handle, parent: clsact.parent, info: 0 });
  writer.text(attribute.kind, 'clsact');
  writer.end();
  writer.begin(message.newFilter, request | create);
  const info = ((preference << 16) | allProtocols) >>> 0;
  head(writer, { index: indexOf(dev), handle: 1, parent: clsact.egress, info });
  writer.text(attribute.kind, 'bpf');
  const options = writer.nest(attribute.options);
  writer.u16(bpf.count, program.length);
  const bytes = Buffer.alloc(program.length * 8);
  for (const [number, { code, jt, jf, k }] of program.entries()) {
    bytes.writeUInt16LE(code, number * 8);
    bytes.writeUInt8(jt, number * 8 + 2);
    bytes.writeUInt8(jf, number * 8 + 3);
    bytes.writeUInt32LE(k, number * 8 + 4);
  }
  writer.attribute(bpf.instructions, bytes);
  writer.u32(bpf.flags, bpf.directAction);
  writer.closeNest(options);
  writer.end();
}

/** struct tcmsg. */
function head(
  writer: MessageWriter,
  fields: {
    readonly index: number;
    readonly handle: number;
    readonly parent: number;
    readonly info: number;
  },
): void {
  const { bytes, at } = writer.fixed(20);
  bytes.writeInt32LE(fields.index, at + 4);
  bytes.writeUInt32LE(fields.handle, at + 8);
  bytes.writeUInt32LE(fields.parent, at + 12);
  bytes.writeUInt32LE(fields.info, at + 16);
}
