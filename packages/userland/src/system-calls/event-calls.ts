import { errno, LinuxError } from '../errno.ts';
import { isEpollFile, openEpoll } from '../files/epoll-file.ts';
import { openEvent } from '../files/event-file.ts';
import { type OpenFile, openFlags } from '../files/open-file.ts';
import { isSignalFile, openSignals } from '../files/signal-file.ts';
import { isTimerFile, openTimer, type TimerFile } from '../files/timer-file.ts';
import type { Task } from '../kernel/task.ts';
import type { Wait } from '../kernel/wait-queue.ts';
import { guestBytes, guestRoom, viewOf } from '../memory/guest-memory.ts';
import { fileOf, int, readTimespec, unsigned, waitFor } from './arguments.ts';
import { useMask } from './poll-calls.ts';
import { readMask } from './signal-calls.ts';
import type { SystemCall, SystemCalls } from './system-call.ts';
import { writeTime } from './write-stat.ts';

const eventSize = 16;
const semaphore = 1;
const absolute = 1;
const operations = { 1: 'add', 2: 'delete', 3: 'modify' } as const;

function install(task: Task, file: OpenFile, flags: number): number {
  const closeOnExec = (flags & openFlags.closeOnExec) !== 0;
  return task.process.descriptors.add(file, { closeOnExec });
}

const epollCtl: SystemCall = (task, [number, operationBits, targetBits, event]) => {
  const epoll = fileOf(task, number);
  const target = int(targetBits);
  const file = task.process.descriptors.get(target);
  if (!isEpollFile(epoll) || file === epoll) throw new LinuxError(errno.invalid);
  // Files and folders are always ready, and cannot be watched.
  if (file.kind === 'regular' || file.kind === 'directory') {
    throw new LinuxError(errno.notPermitted);
  }
  const operation = operations[int(operationBits) as keyof typeof operations];
  if (operation === undefined) throw new LinuxError(errno.invalid);
  const view =
    operation === 'delete' ? undefined : viewOf(guestBytes(task.memory, event, eventSize));
  const events = view?.getUint32(0, true) ?? 0;
  const data = view?.getBigUint64(8, true) ?? 0n;
  epoll.change(operation, { number: target, file, events, data });
  return 0;
};

function epollWait(
  task: Task,
  asked: {
    readonly number: bigint;
    readonly events: bigint;
    readonly most: bigint;
    readonly timeoutMs: number | undefined;
    readonly mask: bigint;
  },
): number | Wait {
  const epoll = fileOf(task, asked.number);
  const most = int(asked.most);
  if (!isEpollFile(epoll) || most <= 0) throw new LinuxError(errno.invalid);
  useMask(task, asked.mask);
  const ready = epoll.ready(Math.min(most, 1024));
  if (ready.length > 0) {
    const view = viewOf(guestRoom(task.memory, asked.events, ready.length * eventSize));
    for (const [index, { events, data }] of ready.entries()) {
      view.setUint32(index * eventSize, events, true);
      view.setUint32(index * eventSize + 4, 0, true);
      view.setBigUint64(index * eventSize + 8, data, true);
    }
    return ready.length;
  }
  if (asked.timeoutMs === 0) return 0;
  const waiting = waitFor(task, [epoll.changed], asked.timeoutMs);
  return waiting === 'expired' ? 0 : waiting;
}

function timerOf(task: Task, number: bigint): TimerFile {
  const file = fileOf(task, number);
  if (!isTimerFile(file)) throw new LinuxError(errno.invalid);
  return file;
}

function writeTimer(task: Task, file: TimerFile, address: bigint): void {
  const view = viewOf(guestRoom(task.memory, address, 32));
  const now = task.process.kernel.clock.monotonic();
  const { timer } = file;
  writeTime(view, 0, timer?.intervalMs ?? 0);
  writeTime(view, 16, timer === undefined ? 0 : Math.max(timer.dueMs - now, 1e-6));
}

const timerfdSettime: SystemCall = (task, [number, flags, value, old]) => {
  const file = timerOf(task, number);
  const { clock } = task.process.kernel;
  const intervalMs = readTimespec(task, value);
  const at = readTimespec(task, value + 16n);
  if (old !== 0n) writeTimer(task, file, old);
  if (at === 0) {
    file.set(undefined);
    return 0;
  }
  const relative = (unsigned(flags) & absolute) === 0;
  const now = clock.monotonic();
  const dueMs = relative ? now + at : file.clock === 0 ? at - clock.now() + now : at;
  file.set({ dueMs, intervalMs });
  return 0;
};

/** System calls for events, timers and signals as files, and for watching many, by their names in Linux. */
export const eventCalls: SystemCalls = {
  epoll_create1: (task, [flags]) =>
    install(task, openEpoll(task.process.kernel.root.system), unsigned(flags)),
  epoll_ctl: epollCtl,
  epoll_pwait: (task, [number, events, most, timeout, mask]) =>
    epollWait(task, {
      number,
      events,
      most,
      timeoutMs: int(timeout) < 0 ? undefined : int(timeout),
      mask,
    }),
  epoll_pwait2: (task, [number, events, most, timeout, mask]) =>
    epollWait(task, {
      number,
      events,
      most,
      timeoutMs: timeout === 0n ? undefined : readTimespec(task, timeout),
      mask,
    }),
  eventfd2: (task, [value, flagBits]) => {
    const flags = unsigned(flagBits);
    const event = {
      value: BigInt(unsigned(value)),
      semaphore: (flags & semaphore) !== 0,
      flags: flags & openFlags.nonBlock,
    };
    return install(task, openEvent(task.process.kernel.root.system, event), flags);
  },
  timerfd_create: (task, [clock, flagBits]) => {
    const flags = unsigned(flagBits);
    const { kernel } = task.process;
    const timer = { timers: kernel.timers, clock: int(clock), flags: flags & openFlags.nonBlock };
    return install(task, openTimer(kernel.root.system, timer), flags);
  },
  timerfd_settime: timerfdSettime,
  timerfd_gettime: (task, [number, value]) => {
    writeTimer(task, timerOf(task, number), value);
    return 0;
  },
  signalfd4: (task, [number, set, , flagBits]) => {
    const mask = readMask(task, set);
    const flags = unsigned(flagBits);
    if (int(number) >= 0) {
      const file = fileOf(task, number);
      if (!isSignalFile(file)) throw new LinuxError(errno.invalid);
      file.mask = mask;
      return int(number);
    }
    const { kernel } = task.process;
    const signals = {
      mask,
      flags: flags & openFlags.nonBlock,
      owner: task,
      changed: kernel.signalled,
    };
    return install(task, openSignals(kernel.root.system, signals), flags);
  },
  // Nobody is told of changes to files; programs that can look again then.
  inotify_init1: () => {
    throw new LinuxError(errno.noSystemCall);
  },
};
