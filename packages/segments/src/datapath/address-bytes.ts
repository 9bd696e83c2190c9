import { parseIpAddress } from '../address/ip-address.ts';

/** The 4 or 16 bytes of an IPv4 or IPv6 address. Throws `address_invalid`. */
export function addressBytes(text: string): Uint8Array {
  const { family, value } = parseIpAddress(text);
  const length = family === 4 ? 4 : 16;
  return Uint8Array.from({ length }, (_, index) =>
    Number((value >> BigInt(8 * (length - 1 - index))) & 0xffn),
  );
}

/** The 6 bytes of a MAC, as `portMac` writes them. */
export function macBytes(text: string): Uint8Array {
  return Uint8Array.from(text.split(':'), (part) => Number.parseInt(part, 16));
}
