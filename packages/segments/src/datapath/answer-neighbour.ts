import { read16, write16, write32 } from './bytes.ts';
import { etherType, icmpv6Type, ipProtocol } from './ethernet.ts';

/** What the node says for another port: its MAC, to who asked. Written at the buffer's start. */
export interface NeighbourAnswer {
  readonly bytes: Uint8Array;
  length: number;
}

const arpBytes = 42;
const advertisementBytes = 14 + 40 + 32;

export function emptyAnswer(): NeighbourAnswer {
  return { bytes: new Uint8Array(advertisementBytes), length: 0 };
}

/** Answers the ARP request in the frame at `start` (RFC 826) on behalf of who has `mac`. */
export function answerArp(
  answer: NeighbourAnswer,
  request: Uint8Array,
  question: { readonly start: number; readonly mac: Uint8Array },
): void {
  const { bytes } = answer;
  const { start, mac } = question;
  const arp = start + 14;
  bytes.set(request.subarray(arp + 8, arp + 14), 0);
  bytes.set(mac, 6);
  write16(bytes, 12, etherType.arp);
  write32(bytes, 14, 0x00010800);
  write32(bytes, 18, 0x06040002);
  bytes.set(mac, 22);
  bytes.set(request.subarray(arp + 24, arp + 28), 28);
  bytes.set(request.subarray(arp + 8, arp + 18), 32);
  answer.length = arpBytes;
}

/** Answers the neighbour solicitation in the frame at `start` (RFC 4861 §7.2.4). */
export function answerSolicitation(
  answer: NeighbourAnswer,
  request: Uint8Array,
  question: { readonly start: number; readonly target: number; readonly mac: Uint8Array },
): void {
  const { bytes } = answer;
  const { start, target, mac } = question;
  bytes.set(request.subarray(start + 6, start + 12), 0);
  bytes.set(mac, 6);
  write16(bytes, 12, etherType.ipv6);
  write32(bytes, 14, 0x60000000);
  write16(bytes, 18, 32);
  bytes[20] = ipProtocol.icmpv6;
  bytes[21] = 255;
  bytes.set(request.subarray(target, target + 16), 22);
  bytes.set(request.subarray(start + 22, start + 38), 38);
  bytes[54] = icmpv6Type.neighbourAdvertisement;
  bytes[55] = 0;
  write16(bytes, 56, 0);
  // Solicited and override.
  write32(bytes, 58, 0x60000000);
  bytes.set(request.subarray(target, target + 16), 62);
  bytes[78] = 2;
  bytes[79] = 1;
  bytes.set(mac, 80);
  write16(bytes, 56, icmpv6Checksum(bytes, { source: 22, start: 54, end: advertisementBytes }));
  answer.length = advertisementBytes;
}

/** RFC 8200 §8.1; source and destination addresses stand one after the other at `source`. */
function icmpv6Checksum(
  bytes: Uint8Array,
  place: { readonly source: number; readonly start: number; readonly end: number },
): number {
  const { source, start, end } = place;
  let sum = end - start + ipProtocol.icmpv6;
  for (let at = source; at < source + 32; at += 2) sum += read16(bytes, at);
  for (let at = start; at < end; at += 2) sum += read16(bytes, at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
