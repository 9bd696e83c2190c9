import { read16, read32, standsAt } from './bytes.ts';
import { etherType, icmpv6Type, ipProtocol } from './ethernet.ts';
import type { ByteRange } from './guard-source.ts';
import { ipv6Key, type SwitchPort, type SwitchSegment } from './switch-tables.ts';

/** A question for who has an address, and the port that has it, if one does. */
export type Question =
  | { readonly kind: 'arp'; readonly port: SwitchPort | undefined }
  | {
      readonly kind: 'solicitation';
      readonly port: SwitchPort | undefined;
      readonly target: number;
      readonly fromNobody: boolean;
    };

/** The question for a neighbour that a frame is, if it is one; it was guarded before. */
export function questionIn(
  segment: SwitchSegment,
  bytes: Uint8Array,
  range: ByteRange,
): Question | undefined {
  const { start, end } = range;
  const type = read16(bytes, start + 12);
  if (type === etherType.arp) {
    if (read16(bytes, start + 20) !== 1) return undefined;
    return { kind: 'arp', port: segment.byIpv4.get(read32(bytes, start + 38)) };
  }
  const isSolicitation =
    type === etherType.ipv6 &&
    bytes[start + 20] === ipProtocol.icmpv6 &&
    bytes[start + 54] === icmpv6Type.neighbourSolicitation &&
    end - start >= 14 + 40 + 24;
  if (!isSolicitation) return undefined;
  const target = start + 62;
  return {
    kind: 'solicitation',
    port: segment.byIpv6.get(ipv6Key(bytes, target)),
    target,
    fromNobody: standsAt(bytes, start + 22, nobody),
  };
}

const nobody = new Uint8Array(16);
