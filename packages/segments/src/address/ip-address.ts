import { TaplineError } from '@tapline/base';

const zero = 0x30;
/** A point, as far from 0 as a digit. */
const point = 0x2e - zero;

export interface IpAddress {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** Throws `address_invalid`. */
export function parseIpAddress(text: string): IpAddress {
  const value = text.includes(':') ? parse6(text) : parse4(text);
  if (value === undefined) {
    throw new TaplineError('address_invalid', `${text} is no IPv4 or IPv6 address`);
  }
  return { family: text.includes(':') ? 6 : 4, value };
}

/** As iproute2 and nft print it (RFC 5952), so that texts can be compared. */
export function formatIpAddress({ family, value }: IpAddress): string {
  if (family === 4) {
    const word = Number(value);
    return `${word >>> 24}.${(word >>> 16) & 0xff}.${(word >>> 8) & 0xff}.${word & 0xff}`;
  }
  const groups = Array.from({ length: 8 }, (_, index) =>
    Number((value >> BigInt(112 - 16 * index)) & 0xffffn),
  );
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  if (best.start < 0) return hex(groups);
  return `${hex(groups.slice(0, best.start))}::${hex(groups.slice(best.start + best.length))}`;
}

function hex(groups: readonly number[]): string {
  return groups.map((group) => group.toString(16)).join(':');
}

function parse4(text: string): bigint | undefined {
  // A node with thousands of segments has hundreds of thousands of them.
  let word = 0;
  let byte = -1;
  let dots = 0;
  for (let at = 0; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - zero;
    if (digit === point && byte >= 0 && dots < 3) {
      word = word * 256 + byte;
      byte = -1;
      dots += 1;
      // A number that begins with 0 and goes on is octal to some.
    } else if (digit >= 0 && digit <= 9 && byte !== 0) {
      byte = byte < 0 ? digit : byte * 10 + digit;
      if (byte > 255) return;
    } else return;
  }
  return dots === 3 && byte >= 0 ? BigInt(word * 256 + byte) : undefined;
}

function parse6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return;
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...tail];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return;
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}
