import { type LinearMemory, pagePermission } from '@tapline/a64';
import { byteStringOf } from '../byte-string.ts';
import { errno, LinuxError } from '../errno.ts';

const { read, write } = pagePermission;
const longestString = 4096;
const pageMask = 4095n;

/** What the guest has there, to be looked at. Faults are the caller's to make EFAULT of. */
export function guestBytes(memory: LinearMemory, address: bigint, length: number): Uint8Array {
  if (length === 0) return new Uint8Array(0);
  const offset = memory.resolve(address, { length, permission: read });
  return memory.bytesAt(offset, length);
}

/** Room of the guest, to be written. */
export function guestRoom(memory: LinearMemory, address: bigint, length: number): Uint8Array {
  if (length === 0) return new Uint8Array(0);
  const offset = memory.resolve(address, { length, permission: write });
  return memory.bytesAt(offset, length);
}

/** A byte string that ends with a zero byte; longer than `most`, it is ENAMETOOLONG. */
export function guestString(
  memory: LinearMemory,
  address: bigint,
  most: number = longestString,
): string {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let at = address; length < most;) {
    const rest = Number(pageMask + 1n - (at & pageMask));
    const bytes = guestBytes(memory, at, Math.min(rest, most - length));
    const end = bytes.indexOf(0);
    parts.push(end < 0 ? bytes : bytes.subarray(0, end));
    if (end >= 0) return parts.map(byteStringOf).join('');
    length += bytes.length;
    at += BigInt(bytes.length);
  }
  throw new LinuxError(errno.nameTooLong);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
