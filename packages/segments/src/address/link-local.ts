import { formatIpAddress } from './ip-address.ts';

/** The link-local address that Linux gives an interface of its own accord (RFC 4291, EUI-64). */
export function linkLocal(mac: string): string {
  const bytes = mac.split(':').map((byte) => Number.parseInt(byte, 16));
  const [first = 0, second = 0, third = 0, ...rest] = bytes;
  const eui = [first ^ 2, second, third, 0xff, 0xfe, ...rest];
  const low = eui.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return formatIpAddress({ family: 6, value: (0xfe80n << 112n) | low });
}
