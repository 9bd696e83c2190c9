import { addressBytes, macBytes } from '../datapath/address-bytes.ts';

export const broadcast = 'ff:ff:ff:ff:ff:ff';

/** An Ethernet frame. */
export function makeFrame(
  to: string,
  from: string,
  content: { readonly type: number; readonly payload: readonly number[] | Uint8Array },
): Uint8Array {
  const { type, payload } = content;
  return Uint8Array.from([...macBytes(to), ...macBytes(from), type >>> 8, type & 0xff, ...payload]);
}

/** ARP of Ethernet and IPv4; operation 1 asks, 2 answers. */
export function arpPayload(
  operation: 1 | 2,
  who: { readonly mac: string; readonly address: string; readonly target: string },
): readonly number[] {
  const { mac, address, target } = who;
  const head = [0, 1, 8, 0, 6, 4, 0, operation, ...macBytes(mac)];
  return [...head, ...addressBytes(address), 0, 0, 0, 0, 0, 0, ...addressBytes(target)];
}

/** IPv4 with a protocol and what it carries; checksums are nobody's business here. */
export function ipv4Payload(
  from: string,
  to: string,
  content: { readonly protocol: number; readonly payload: readonly number[] },
): readonly number[] {
  const { protocol, payload } = content;
  const length = 20 + payload.length;
  const head = [0x45, 0, length >>> 8, length & 0xff, 0, 0, 0, 0, 64, protocol, 0, 0];
  return [...head, ...addressBytes(from), ...addressBytes(to), ...payload];
}

export function udpPayload(from: number, to: number): readonly number[] {
  return [from >>> 8, from & 0xff, to >>> 8, to & 0xff, 0, 12, 0, 0, 1, 2, 3, 4];
}

export function ipv6Payload(
  from: string,
  to: string,
  content: { readonly next: number; readonly payload: readonly number[] },
): readonly number[] {
  const { next, payload } = content;
  const head = [0x60, 0, 0, 0, payload.length >>> 8, payload.length & 0xff, next, 255];
  return [...head, ...addressBytes(from), ...addressBytes(to), ...payload];
}

/** A neighbour solicitation (135) or advertisement (136) with one link-layer address option. */
export function discoveryPayload(
  type: 135 | 136,
  content: { readonly target: string; readonly mac: string },
): readonly number[] {
  const { target, mac } = content;
  const head = [type, 0, 0, 0, 0, 0, 0, 0, ...addressBytes(target)];
  return [...head, type === 135 ? 1 : 2, 1, ...macBytes(mac)];
}
