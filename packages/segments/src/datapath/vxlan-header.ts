import { read16, read32, write16, write32 } from './bytes.ts';

export const vxlanHeaderBytes = 8;

const flags = { vni: 0x08, group: 0x80 };
// draft-smith-vxlan-group-policy-05 §2.1: do not learn, and policy was applied already.
const groupFlags = { dontLearn: 0x40, applied: 0x08 };

/** A VXLAN header as read; filled again for each packet, so that none allocates. */
export interface VxlanHeader {
  vni: number;
  /** Group policy id; 0 where the packet has none. */
  group: number;
}

/**
 * RFC 7348 §5 with the group policy extension. `Don't learn` is not set, though nobody is to: Linux
 * makes it a bit of the frame's mark, and rules that compare marks would not know it again.
 */
export function writeVxlanHeader(into: Uint8Array, at: number, header: VxlanHeader): void {
  into[at] = flags.vni | flags.group;
  into[at + 1] = 0;
  write16(into, at + 2, header.group);
  write32(into, at + 4, header.vni << 8);
}

/**
 * Reads the header of the packet at `start` up to `end`. False for what is too short, has no VNI, or
 * has bits set that neither document gives a meaning: what is not understood is not forwarded.
 */
export function readVxlanHeader(
  bytes: Uint8Array,
  range: { readonly start: number; readonly end: number },
  header: VxlanHeader,
): boolean {
  const { start, end } = range;
  if (end - start < vxlanHeaderBytes) return false;
  const first = bytes[start] ?? 0;
  const second = bytes[start + 1] ?? 0;
  const grouped = first === (flags.vni | flags.group);
  if (!grouped && first !== flags.vni) return false;
  if ((second & ~(grouped ? groupFlags.dontLearn | groupFlags.applied : 0)) !== 0) return false;
  const group = read16(bytes, start + 2);
  if (!grouped && group !== 0) return false;
  if (bytes[start + 7] !== 0) return false;
  header.vni = read32(bytes, start + 4) >>> 8;
  header.group = group;
  return true;
}
