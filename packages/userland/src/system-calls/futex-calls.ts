import { errno, LinuxError } from '../errno.ts';
import { futexPlace } from '../kernel/exit-thread.ts';
import type { FutexWaiter } from '../kernel/futexes.ts';
import type { Task } from '../kernel/task.ts';
import { Wait, WaitQueue } from '../kernel/wait-queue.ts';
import { guestBytes, guestRoom, viewOf } from '../memory/guest-memory.ts';
import { readTimespec, unsigned } from './arguments.ts';
import type { SystemCall, SystemCalls } from './system-call.ts';

// include/uapi/linux/futex.h
const operations = {
  wait: 0,
  wake: 1,
  requeue: 3,
  compareAndRequeue: 4,
  wakeAndChange: 5,
  waitForBits: 9,
  wakeBits: 10,
} as const;
const operationMask = 0x7f;
const realtimeClock = 0x100;
const allBits = 0xffffffff;

interface Waiting {
  readonly waiter: FutexWaiter;
  readonly deadline: number | undefined;
}

function wait(
  task: Task,
  asked: {
    readonly address: bigint;
    readonly value: number;
    readonly bits: number;
    readonly deadline: () => number | undefined;
  },
): number | Wait {
  const { clock, futexes } = task.process.kernel;
  const { call } = task;
  const before = call?.memo as Waiting | undefined;
  if (before !== undefined) {
    const { waiter, deadline } = before;
    if (waiter.woken) return 0;
    if (deadline !== undefined && clock.monotonic() >= deadline) {
      futexes.remove(waiter);
      throw new LinuxError(errno.timedOut);
    }
    return new Wait([waiter.queue], deadline);
  }
  if (word(task, asked.address) !== asked.value) throw new LinuxError(errno.again);
  if (asked.bits === 0) throw new LinuxError(errno.invalid);
  const deadline = asked.deadline();
  const place = futexPlace(task, asked.address);
  const waiter: FutexWaiter = { queue: new WaitQueue(), bits: asked.bits, woken: false, place };
  if (call !== undefined) {
    call.memo = { waiter, deadline } satisfies Waiting;
    call.cancel = () => futexes.remove(waiter);
  }
  futexes.add(waiter);
  return new Wait([waiter.queue], deadline);
}

function word(task: Task, address: bigint): number {
  if ((address & 3n) !== 0n) throw new LinuxError(errno.invalid);
  return viewOf(guestBytes(task.memory, address, 4)).getUint32(0, true);
}

/** FUTEX_WAKE_OP: changes the second word, and wakes there where what it was says so. */
function changeWord(task: Task, address: bigint, encoded: number): boolean {
  const operation = (encoded >>> 28) & 0xf;
  const comparison = (encoded >>> 24) & 0xf;
  const given = (encoded << 8) >> 20;
  const operand = (operation & 8) === 0 ? given : 1 << (given & 31);
  const compared = (encoded << 20) >> 20;
  const view = viewOf(guestRoom(task.memory, address, 4));
  const old = view.getInt32(0, true);
  const results = [operand, old + operand, old | operand, old & ~operand, old ^ operand];
  const result = results[operation & 7];
  if (result === undefined) throw new LinuxError(errno.noSystemCall);
  view.setInt32(0, result, true);
  const answers = [
    old === compared,
    old !== compared,
    old < compared,
    old <= compared,
    old > compared,
    old >= compared,
  ];
  const answer = answers[comparison];
  if (answer === undefined) throw new LinuxError(errno.noSystemCall);
  return answer;
}

const futex: SystemCall = (task, [address, operationBits, valueBits, timeout, other, third]) => {
  const operation = unsigned(operationBits) & operationMask;
  const value = unsigned(valueBits);
  const { futexes, clock } = task.process.kernel;
  const place = (at: bigint): ReturnType<typeof futexPlace> => futexPlace(task, at);
  switch (operation) {
    case operations.wait:
      return wait(task, {
        address,
        value,
        bits: allBits,
        deadline: () =>
          timeout === 0n ? undefined : clock.monotonic() + readTimespec(task, timeout),
      });
    case operations.waitForBits: {
      const realtime = (unsigned(operationBits) & realtimeClock) !== 0;
      return wait(task, {
        address,
        value,
        bits: unsigned(third),
        deadline: () => {
          if (timeout === 0n) return undefined;
          const at = readTimespec(task, timeout);
          return realtime ? at - clock.now() + clock.monotonic() : at;
        },
      });
    }
    case operations.wake:
      word(task, address);
      return futexes.wake(place(address), { most: value, bits: allBits });
    case operations.wakeBits:
      word(task, address);
      return futexes.wake(place(address), { most: value, bits: unsigned(third) });
    case operations.requeue:
    case operations.compareAndRequeue: {
      if (operation === operations.compareAndRequeue && word(task, address) !== unsigned(third)) {
        throw new LinuxError(errno.again);
      }
      const woken = futexes.wake(place(address), { most: value, bits: allBits });
      return woken + futexes.requeue(place(address), place(other), unsigned(timeout));
    }
    case operations.wakeAndChange: {
      const also = changeWord(task, other, unsigned(third));
      const woken = futexes.wake(place(address), { most: value, bits: allBits });
      const most = unsigned(timeout);
      return woken + (also ? futexes.wake(place(other), { most, bits: allBits }) : 0);
    }
    default:
      throw new LinuxError(errno.noSystemCall);
  }
};

/** System calls for locks between threads, by their names in Linux. */
export const futexCalls: SystemCalls = { futex };
