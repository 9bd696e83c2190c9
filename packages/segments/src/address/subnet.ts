import { TaplineError } from '@tapline/base';
import { formatIpAddress, type IpAddress, parseIpAddress } from './ip-address.ts';

/** A block of addresses; `value` is its first one. */
export interface Subnet extends IpAddress {
  /** Of its prefix, in bits. */
  readonly length: number;
}

export function addressBits(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

/** `10.7.0.0/24`. Throws `prefix_invalid`, also for bits beyond its length, and `address_invalid`. */
export function parseSubnet(text: string): Subnet {
  const [, address = '', digits = ''] = /^([^/]+)\/(0|[1-9][0-9]{0,2})$/.exec(text) ?? [];
  if (address === '') {
    const shown = JSON.stringify(text.slice(0, 64));
    throw new TaplineError('prefix_invalid', `${shown} is no prefix such as 10.7.0.0/24`);
  }
  const { family, value } = parseIpAddress(address);
  const length = Number(digits);
  const bits = addressBits(family);
  if (length > bits) {
    throw new TaplineError('prefix_invalid', `prefix length ${length} exceeds ${bits}`);
  }
  const first = firstOf(value, { family, length });
  if (first !== value) {
    throw new TaplineError('prefix_invalid', `${text} has bits beyond its length`, {
      hint: `write ${formatSubnet({ family, value: first, length })}`,
    });
  }
  return { family, value, length };
}

export function formatSubnet(subnet: Subnet): string {
  return `${formatIpAddress(subnet)}/${subnet.length}`;
}

export function subnetsOverlap(a: Subnet, b: Subnet): boolean {
  const { family } = a;
  const length = Math.min(a.length, b.length);
  return (
    family === b.family &&
    firstOf(a.value, { family, length }) === firstOf(b.value, { family, length })
  );
}

export function subnetContains(outer: Subnet, inner: Subnet): boolean {
  return outer.length <= inner.length && subnetsOverlap(outer, inner);
}

function firstOf(
  value: bigint,
  { family, length }: { readonly family: 4 | 6; readonly length: number },
): bigint {
  const host = BigInt(addressBits(family) - length);
  return (value >> host) << host;
}
