import { MemoryFault } from '@tapline/a64';
import { guestBytes, guestRoom, viewOf } from '../memory/guest-memory.ts';
import type { FutexPlace } from './futexes.ts';
import type { Task } from './task.ts';

/** FUTEX_OWNER_DIED, FUTEX_WAITERS */
const ownerDied = 0x40000000;
const waitersBit = 0x80000000;
const tidMask = 0x3fffffff;
/** A list of locks that does not end is not followed for ever (ROBUST_LIST_LIMIT). */
const mostLocks = 2048;

/** One thread ends; with the last one its process does. */
export function exitThread(task: Task, code: number): void {
  const { process } = task;
  const { kernel } = process;
  try {
    releaseRobustLocks(task);
    if (task.clearChildTid !== 0n && process.tasks.size > 1) {
      viewOf(guestRoom(task.memory, task.clearChildTid, 4)).setInt32(0, 0, true);
      const place = futexPlace(task, task.clearChildTid);
      kernel.futexes.wake(place, { most: 1, bits: 0xffffffff });
    }
  } catch (error) {
    // What it said of its memory was not true; that is nobody's but its own.
    if (!(error instanceof MemoryFault)) throw error;
  }
  if (process.tasks.size === 1) kernel.exitProcess(process, code << 8);
  else {
    process.space.saveRegisters();
    kernel.endTask(task);
  }
}

/** Which word an address is: shared memory is the same for all that share it. */
export function futexPlace({ process }: Task, address: bigint): FutexPlace {
  const { space } = process;
  const region = space.regionAt(Number(address));
  if (region?.source.shared === true) {
    const memory = region.source.bytes ?? region.source.file;
    const offset = region.source.offset + Number(address) - region.start;
    if (memory !== undefined) return { memory, offset };
  }
  return { memory: space, offset: Number(address) };
}

/** Locks that a thread holds when it ends are marked, and the next one is woken. */
function releaseRobustLocks(task: Task): void {
  const head = task.robustList;
  if (head === 0n) return;
  const view = viewOf(guestBytes(task.memory, head, 24));
  const offset = view.getBigInt64(8, true);
  let entry = view.getBigUint64(0, true);
  for (let count = 0; entry !== head && entry !== 0n && count < mostLocks; count++) {
    const next = viewOf(guestBytes(task.memory, entry, 8)).getBigUint64(0, true);
    const address = BigInt.asUintN(64, entry + offset);
    const word = viewOf(guestRoom(task.memory, address, 4));
    const value = word.getUint32(0, true);
    if ((value & tidMask) === task.tid) {
      word.setUint32(0, ((value & waitersBit) | ownerDied) >>> 0, true);
      const place = futexPlace(task, address);
      task.process.kernel.futexes.wake(place, { most: 1, bits: 0xffffffff });
    }
    entry = next;
  }
}
