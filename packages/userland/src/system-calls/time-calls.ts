import { MemoryFault } from '@tapline/a64';
import { errno, LinuxError } from '../errno.ts';
import { sendSignal } from '../kernel/send-signal.ts';
import { signal, signalCode } from '../kernel/signals.ts';
import type { Task } from '../kernel/task.ts';
import type { KernelTimer } from '../kernel/timers.ts';
import type { Wait } from '../kernel/wait-queue.ts';
import { guestBytes, guestRoom, viewOf } from '../memory/guest-memory.ts';
import { int, readTimespec, unsigned, waitFor } from './arguments.ts';
import type { SystemCall, SystemCalls } from './system-call.ts';
import { writeTime } from './write-stat.ts';

// include/uapi/linux/time.h
const clocks = { realtime: 0, processTime: 2, threadTime: 3, realtimeCoarse: 5, tai: 11 } as const;
const lastClock = 11;
const absolute = 1;
const ticksPerSecond = 100;

export function readClock(task: Task, id: number): number {
  const { clock } = task.process.kernel;
  if (id < 0 && (id & 7) !== 3) return task.process.usedMs;
  if (id < 0 || id > lastClock) throw new LinuxError(errno.invalid);
  switch (id) {
    case clocks.realtime:
    case clocks.realtimeCoarse:
    case clocks.tai:
      return clock.now();
    case clocks.processTime:
    case clocks.threadTime:
      return task.process.usedMs;
    default:
      return clock.monotonic();
  }
}

/** What is left of a sleep that a signal interrupts is told where asked. */
function sleep(task: Task, ms: number, remaining: bigint): number | Wait {
  const { clock } = task.process.kernel;
  const waiting = waitFor(task, [], ms);
  if (waiting === 'expired') return 0;
  const deadline = waiting.deadlineMs ?? 0;
  if (task.call !== undefined && remaining !== 0n) {
    // Memory that is not the guest's is found out now, and not when a signal comes.
    guestRoom(task.memory, remaining, 16);
    task.call.cancel = () => {
      const left = Math.max(deadline - clock.monotonic(), 0);
      const bytes = new Uint8Array(16);
      writeTime(viewOf(bytes), 0, left);
      tellRest(task, remaining, bytes);
    };
  }
  return waiting;
}

/** Another thread may have given up that memory meanwhile. */
function tellRest(task: Task, address: bigint, bytes: Uint8Array): void {
  try {
    guestRoom(task.memory, address, 16).set(bytes);
  } catch (error) {
    if (!(error instanceof MemoryFault)) throw error;
  }
}

/** The memo of a sleep that was begun has its deadline; how long was asked for is of no matter then. */
function begun({ call }: Task): boolean {
  return (call?.memo as { deadline?: number } | undefined)?.deadline !== undefined;
}

const clockNanosleep: SystemCall = (task, [id, flags, request, remaining]) => {
  const now = readClock(task, int(id));
  if (begun(task)) return sleep(task, 0, 0n);
  const ms = readTimespec(task, request);
  const relative = (unsigned(flags) & absolute) === 0;
  return sleep(task, relative ? ms : Math.max(ms - now, 0), relative ? remaining : 0n);
};

function writeInterval(task: Task, address: bigint, timer: KernelTimer | undefined): void {
  const view = viewOf(guestRoom(task.memory, address, 32));
  const now = task.process.kernel.clock.monotonic();
  const left = timer === undefined ? 0 : Math.max(timer.dueMs - now, 0.001);
  for (const [at, ms] of [
    [0, timer?.intervalMs ?? 0],
    [16, left],
  ] as const) {
    view.setBigInt64(at, BigInt(Math.floor(ms / 1000)), true);
    view.setBigInt64(at + 8, BigInt(Math.floor((ms % 1000) * 1000)), true);
  }
}

/** struct timeval in milliseconds. */
function timeval(view: DataView, at: number): number {
  return Number(view.getBigInt64(at, true)) * 1000 + Number(view.getBigInt64(at + 8, true)) / 1000;
}

const setitimer: SystemCall = (task, [which, value, old]) => {
  const { process } = task;
  const { timers, clock } = process.kernel;
  // ITIMER_VIRTUAL and ITIMER_PROF count time that is not measured so finely.
  if (unsigned(which) !== 0) throw new LinuxError(errno.invalid);
  if (old !== 0n) writeInterval(task, old, process.realTimer);
  timers.remove(process.realTimer);
  process.realTimer = undefined;
  if (value === 0n) return 0;
  const view = viewOf(guestBytes(task.memory, value, 32));
  const intervalMs = timeval(view, 0);
  const ms = timeval(view, 16);
  if (ms <= 0) return 0;
  const timer: KernelTimer = {
    dueMs: clock.monotonic() + ms,
    intervalMs,
    fire: () => {
      if (timer.intervalMs <= 0) process.realTimer = undefined;
      sendSignal(process, { signal: signal.alarm, code: signalCode.kernel });
    },
  };
  process.realTimer = timer;
  timers.add(timer);
  return 0;
};

/** System calls on time, by their names in Linux. */
export const timeCalls: SystemCalls = {
  clock_nanosleep: clockNanosleep,
  setitimer,
  clock_gettime: (task, [id, buffer]) => {
    const time = readClock(task, int(id));
    writeTime(viewOf(guestRoom(task.memory, buffer, 16)), 0, time);
    return 0;
  },
  clock_getres: (task, [id, buffer]) => {
    readClock(task, int(id));
    if (buffer !== 0n) writeTime(viewOf(guestRoom(task.memory, buffer, 16)), 0, 1e-6);
    return 0;
  },
  gettimeofday: (task, [buffer]) => {
    if (buffer === 0n) return 0;
    const now = task.process.kernel.clock.now();
    const view = viewOf(guestRoom(task.memory, buffer, 16));
    view.setBigInt64(0, BigInt(Math.floor(now / 1000)), true);
    view.setBigInt64(8, BigInt(Math.floor((now % 1000) * 1000)), true);
    return 0;
  },
  nanosleep: (task, [request, remaining]) =>
    sleep(task, begun(task) ? 0 : readTimespec(task, request), begun(task) ? 0n : remaining),
  getitimer: (task, [which, value]) => {
    if (unsigned(which) !== 0) throw new LinuxError(errno.invalid);
    writeInterval(task, value, task.process.realTimer);
    return 0;
  },
  times: (task, [buffer]) => {
    const { process } = task;
    if (buffer !== 0n) {
      const view = viewOf(guestRoom(task.memory, buffer, 32));
      const ticks = (ms: number): bigint => BigInt(Math.floor((ms * ticksPerSecond) / 1000));
      view.setBigInt64(0, ticks(process.usedMs), true);
      view.setBigInt64(8, 0n, true);
      view.setBigInt64(16, ticks(process.childrenUsedMs), true);
      view.setBigInt64(24, 0n, true);
    }
    return Math.floor((process.kernel.clock.monotonic() * ticksPerSecond) / 1000);
  },
};
