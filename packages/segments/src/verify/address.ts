import { isTaplineError } from '@tapline/base';
import { type IpAddress, parseIpAddress } from '../address/ip-address.ts';

/** Undefined for what is no address: observed text is never trusted to be one. */
export function readAddress(text: string): IpAddress | undefined {
  try {
    return parseIpAddress(text);
  } catch (error) {
    if (isTaplineError(error, 'address_invalid')) return undefined;
    throw error;
  }
}

/** Whether a prefix such as `10.0.0.0/8`, or a single address, covers an address. */
export function covers(prefix: string, address: string): boolean {
  const [base = '', length] = prefix.split('/');
  const outer = readAddress(base);
  const inner = readAddress(address);
  if (outer === undefined || inner === undefined || outer.family !== inner.family) return false;
  const bits = outer.family === 4 ? 32 : 128;
  const kept = length === undefined ? bits : Number(length);
  if (!Number.isInteger(kept) || kept < 0 || kept > bits) return false;
  const shift = BigInt(bits - kept);
  return outer.value >> shift === inner.value >> shift;
}
