import type { OpenFile } from '../files/open-file.ts';
import { errno, LinuxError } from '../errno.ts';
import { guestBytes, viewOf } from '../memory/guest-memory.ts';
import type { Task } from '../kernel/task.ts';
import { Wait, type WaitQueue } from '../kernel/wait-queue.ts';

/** What a C int in the low half of a register is. */
export function int(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}

export function unsigned(value: bigint): number {
  return Number(BigInt.asUintN(32, value));
}

/** Sizes beyond what Linux transfers at once are cut to it (MAX_RW_COUNT). */
export function size(value: bigint): number {
  const most = 0x7ffff000n;
  if (BigInt.asIntN(64, value) < 0n) throw new LinuxError(errno.invalid);
  return Number(value < most ? value : most);
}

export function fileOf(task: Task, number: bigint): OpenFile {
  const file = task.process.descriptors.get(int(number));
  if (file.kind === 'path') throw new LinuxError(errno.badDescriptor);
  return file;
}

/** struct timespec in milliseconds; its parts have to be in range. */
export function readTimespec(task: Task, address: bigint): number {
  const view = viewOf(guestBytes(task.memory, address, 16));
  const seconds = Number(view.getBigInt64(0, true));
  const nanoseconds = Number(view.getBigInt64(8, true));
  if (seconds < 0 || nanoseconds < 0 || nanoseconds > 999_999_999) {
    throw new LinuxError(errno.invalid);
  }
  return seconds * 1000 + nanoseconds / 1e6;
}

/** What a call keeps until it is made again. */
export function memo<T>(task: Task, make: () => T): T {
  const { call } = task;
  if (call === undefined) return make();
  call.memo ??= make();
  return call.memo as T;
}

/**
 * Waits for one of the queues, but not longer than this from the first time that the call was made.
 * Uses the call's memo.
 */
export function waitFor(
  task: Task,
  queues: readonly WaitQueue[],
  timeoutMs: number | undefined,
): Wait | 'expired' {
  if (timeoutMs === undefined) return new Wait(queues);
  const now = task.process.kernel.clock.monotonic();
  const { deadline } = memo(task, () => ({ deadline: now + timeoutMs }));
  return now >= deadline ? 'expired' : new Wait(queues, deadline);
}
