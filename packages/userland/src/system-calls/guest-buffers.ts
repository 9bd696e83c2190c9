import { errno, LinuxError } from '../errno.ts';
import type { Task } from '../kernel/task.ts';
import { guestBytes, viewOf } from '../memory/guest-memory.ts';
import { int, size } from './arguments.ts';

/** A piece of a guest's memory. */
export interface GuestBuffer {
  readonly address: bigint;
  readonly length: number;
}

/** struct iovec. */
export function readVector(task: Task, address: bigint, count: bigint): readonly GuestBuffer[] {
  const number = int(count);
  if (number < 0 || number > 1024) throw new LinuxError(errno.invalid);
  const view = viewOf(guestBytes(task.memory, address, number * 16));
  return Array.from({ length: number }, (_, index) => ({
    address: view.getBigUint64(index * 16, true),
    length: size(view.getBigUint64(index * 16 + 8, true)),
  }));
}

/** Puts bytes into buffers, one after the other. */
export function scatter(task: Task, buffers: readonly GuestBuffer[], bytes: Uint8Array): void {
  let at = 0;
  for (const { address, length } of buffers) {
    const part = bytes.subarray(at, at + length);
    if (part.length === 0) break;
    const offset = task.memory.resolve(address, { length: part.length, permission: 2 });
    task.memory.bytesAt(offset, part.length).set(part);
    at += part.length;
  }
}

/** What is in buffers, in one piece. */
export function gather(task: Task, buffers: readonly GuestBuffer[]): Uint8Array {
  const [first] = buffers;
  if (first !== undefined && buffers.length === 1) {
    return guestBytes(task.memory, first.address, first.length);
  }
  const total = buffers.reduce((sum, { length }) => sum + length, 0);
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const { address, length } of buffers) {
    bytes.set(guestBytes(task.memory, address, length), at);
    at += length;
  }
  return bytes;
}
