import { errno, LinuxError } from '../errno.ts';
import type { GuestProcess, ProcessTimer } from '../kernel/guest-process.ts';
import { sendSignal } from '../kernel/send-signal.ts';
import { signal, signalCode } from '../kernel/signals.ts';
import type { Task } from '../kernel/task.ts';
import type { KernelTimer } from '../kernel/timers.ts';
import { guestBytes, guestRoom, viewOf } from '../memory/guest-memory.ts';
import { int, readTimespec, unsigned } from './arguments.ts';
import type { SystemCall, SystemCalls } from './system-call.ts';
import { readClock } from './time-calls.ts';
import { writeTime } from './write-stat.ts';

const absolute = 1;
const realtime = 0;
/** include/uapi/asm-generic/siginfo.h; 4 is a flag beside the first. */
const notify = { nothing: 1, thread: 2, toThread: 4 } as const;
const lastSignal = 64;
/** Each is a number of a process and a timer of the kernel. */
const mostTimers = 1024;

function timerOf({ process }: Task, id: bigint): ProcessTimer {
  const timer = process.timers.get(int(id));
  if (timer === undefined) throw new LinuxError(errno.invalid);
  return timer;
}

const timerCreate: SystemCall = (task, [clockId, event, room]) => {
  const { process } = task;
  const clock = int(clockId);
  readClock(task, clock);
  if (process.timers.size >= mostTimers) throw new LinuxError(errno.again);
  let id = 0;
  while (process.timers.has(id)) id++;
  // struct sigevent: value, signal, how, thread.
  const view = event === 0n ? undefined : viewOf(guestBytes(task.memory, event, 20));
  const number = view?.getInt32(8, true) ?? signal.alarm;
  const how = view?.getInt32(12, true) ?? 0;
  const value = view?.getBigUint64(0, true) ?? BigInt(id);
  if (how < 0 || how > notify.toThread || how === 3) throw new LinuxError(errno.invalid);
  const silent = how === notify.nothing;
  if (!silent && (number < 1 || number > lastSignal)) throw new LinuxError(errno.invalid);
  const thread =
    how === notify.toThread ? threadOf(process, view?.getInt32(16, true) ?? 0) : undefined;
  viewOf(guestRoom(task.memory, room, 4)).setInt32(0, id, true);
  const timer: ProcessTimer = {
    clock,
    running: undefined,
    overrun: 0,
    fire: (times) => {
      timer.overrun = times - 1;
      if (silent) return;
      const info = { signal: number, code: signalCode.timer, pid: id, uid: timer.overrun, value };
      sendSignal(process, info, thread);
    },
  };
  process.timers.set(id, timer);
  return 0;
};

function threadOf(process: GuestProcess, tid: number): Task {
  for (const task of process.tasks) if (task.tid === tid) return task;
  throw new LinuxError(errno.invalid);
}

function stop({ process }: Task, timer: ProcessTimer): void {
  process.kernel.timers.remove(timer.running);
  timer.running = undefined;
}

const timerSettime: SystemCall = (task, [id, flags, value, old]) => {
  const timer = timerOf(task, id);
  const { clock, timers } = task.process.kernel;
  const intervalMs = readTimespec(task, value);
  const at = readTimespec(task, value + 16n);
  if (old !== 0n) writeTimer(task, timer, old);
  stop(task, timer);
  timer.overrun = 0;
  if (at === 0) return 0;
  const now = clock.monotonic();
  const relative = (unsigned(flags) & absolute) === 0;
  const dueMs = relative ? now + at : timer.clock === realtime ? at - clock.now() + now : at;
  const running: KernelTimer = {
    dueMs,
    intervalMs,
    fire: (times) => {
      if (running.intervalMs <= 0) timer.running = undefined;
      timer.fire(times);
    },
  };
  timer.running = running;
  timers.add(running);
  return 0;
};

/** struct itimerspec: how often, and how long until then. */
function writeTimer(task: Task, { running }: ProcessTimer, address: bigint): void {
  const view = viewOf(guestRoom(task.memory, address, 32));
  const now = task.process.kernel.clock.monotonic();
  writeTime(view, 0, running?.intervalMs ?? 0);
  writeTime(view, 16, running === undefined ? 0 : Math.max(running.dueMs - now, 0.001));
}

/** Timers that send signals, by the names of their calls in Linux. */
export const timerCalls: SystemCalls = {
  timer_create: timerCreate,
  timer_settime: timerSettime,
  timer_gettime: (task, [id, room]) => {
    writeTimer(task, timerOf(task, id), room);
    return 0;
  },
  timer_getoverrun: (task, [id]) => timerOf(task, id).overrun,
  timer_delete: (task, [id]) => {
    stop(task, timerOf(task, id));
    task.process.timers.delete(int(id));
    return 0;
  },
};
