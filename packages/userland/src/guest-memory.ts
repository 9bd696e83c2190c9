import { type LinearMemory, pagePermission } from '@tapline/a64';
import { errno, LinuxError } from './errno.ts';

const { read, write } = pagePermission;
const longestString = 4096;

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

/** A string that ends with a zero byte. */
export function guestString(memory: LinearMemory, address: bigint): string {
  const bytes: number[] = [];
  for (let at = 0; at < longestString; at++) {
    const [byte = 0] = guestBytes(memory, address + BigInt(at), 1);
    if (byte === 0) return new TextDecoder().decode(Uint8Array.from(bytes));
    bytes.push(byte);
  }
  throw new LinuxError(errno.nameTooLong);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
