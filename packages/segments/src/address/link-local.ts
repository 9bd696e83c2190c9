/**
 * The link-local address that Linux gives an interface of its own accord (RFC 4291, EUI-64), in the
 * form of RFC 5952. Without a bigint, as every port of a fabric has one.
 */
export function linkLocal(mac: string): string {
  const byte = (at: number): number => Number.parseInt(mac.slice(3 * at, 3 * at + 2), 16);
  const first = ((byte(0) ^ 2) << 8) | byte(1);
  const rest = [(byte(2) << 8) | 0xff, 0xfe00 | byte(3), (byte(4) << 8) | byte(5)];
  const low = rest.map((group) => group.toString(16)).join(':');
  return first === 0 ? `fe80::${low}` : `fe80::${first.toString(16)}:${low}`;
}
