import { errno, LinuxError } from '../errno.ts';
import { sendSignal, takeSignal } from '../kernel/send-signal.ts';
import { isOnStack, leaveHandler, writeSignalInfo } from '../kernel/signal-frame.ts';
import {
  defaultActionOf,
  defaultHandler,
  ignoreHandler,
  lastSignal,
  neverBlocked,
  signal,
  signalBit,
  signalCode,
} from '../kernel/signals.ts';
import type { GuestProcess } from '../kernel/guest-process.ts';
import type { Task } from '../kernel/task.ts';
import { Wait } from '../kernel/wait-queue.ts';
import { guestBytes, guestRoom, viewOf } from '../memory/guest-memory.ts';
import { int, readTimespec, waitFor } from './arguments.ts';
import type { SystemCall, SystemCalls } from './system-call.ts';

/** SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK */
const how = { block: 0, unblock: 1, set: 2 } as const;
const disabledStack = 2;
const smallestStack = 5120n;

function checkSize(size: bigint): void {
  if (size !== 8n) throw new LinuxError(errno.invalid);
}

export function readMask(task: Task, address: bigint): bigint {
  return viewOf(guestBytes(task.memory, address, 8)).getBigUint64(0, true);
}

const rtSigaction: SystemCall = (task, [numberBits, action, old, size]) => {
  checkSize(size);
  const number = int(numberBits);
  const { process } = task;
  if (number < 1 || number > lastSignal) throw new LinuxError(errno.invalid);
  const before = process.action(number);
  if (action !== 0n) {
    if (number === signal.kill || number === signal.stop) throw new LinuxError(errno.invalid);
    const view = viewOf(guestBytes(task.memory, action, 32));
    const handler = view.getBigUint64(0, true);
    process.actions.set(number, {
      handler,
      flags: Number(view.getBigUint64(8, true) & 0xffffffffn),
      restorer: view.getBigUint64(16, true),
      mask: view.getBigUint64(24, true),
    });
    const dropped =
      handler === ignoreHandler ||
      (handler === defaultHandler && defaultActionOf(number) === 'ignore');
    if (dropped) for (const pending of [process.pending, task.pending]) pending.delete(number);
  }
  if (old !== 0n) {
    const view = viewOf(guestRoom(task.memory, old, 32));
    view.setBigUint64(0, before.handler, true);
    view.setBigUint64(8, BigInt(before.flags), true);
    view.setBigUint64(16, before.restorer, true);
    view.setBigUint64(24, before.mask, true);
  }
  return 0;
};

const rtSigprocmask: SystemCall = (task, [howBits, set, old, size]) => {
  checkSize(size);
  const before = task.mask;
  if (set !== 0n) {
    const given = readMask(task, set);
    switch (int(howBits)) {
      case how.block:
        task.mask = before | given;
        break;
      case how.unblock:
        task.mask = before & ~given;
        break;
      case how.set:
        task.mask = given;
        break;
      default:
        throw new LinuxError(errno.invalid);
    }
  }
  if (old !== 0n) viewOf(guestRoom(task.memory, old, 8)).setBigUint64(0, before, true);
  return 0;
};

const rtSigtimedwait: SystemCall = (task, [set, info, timeout, size]) => {
  checkSize(size);
  const wanted = readMask(task, set) & ~neverBlocked;
  for (const pending of [task.pending, task.process.pending]) {
    for (const number of pending.keys()) {
      if ((signalBit(number) & wanted) === 0n) continue;
      const found = takeSignal(task, number);
      if (info !== 0n) writeSignalInfo(guestRoom(task.memory, info, 128).fill(0), found);
      return number;
    }
  }
  const ms = timeout === 0n ? undefined : readTimespec(task, timeout);
  if (ms === 0) throw new LinuxError(errno.again);
  const waiting = waitFor(task, [task.process.kernel.signalled], ms);
  if (waiting === 'expired') throw new LinuxError(errno.again);
  return waiting;
};

const sigaltstack: SystemCall = (task, [stack, old]) => {
  const before = task.alternativeStack;
  const on = isOnStack(task, task.cpu.x(31));
  let next = before;
  if (stack !== 0n) {
    const view = viewOf(guestBytes(task.memory, stack, 24));
    const flags = view.getInt32(8, true);
    if (on) throw new LinuxError(errno.notPermitted);
    if ((flags & ~3) !== 0) throw new LinuxError(errno.invalid);
    const disabled = (flags & disabledStack) !== 0;
    const size = view.getBigUint64(16, true);
    if (!disabled && size < smallestStack) throw new LinuxError(errno.noMemory);
    next = disabled
      ? { address: 0n, size: 0n, flags: disabledStack }
      : { address: view.getBigUint64(0, true), size, flags: 0 };
  }
  if (old !== 0n) {
    const view = viewOf(guestRoom(task.memory, old, 24).fill(0));
    view.setBigUint64(0, before.address, true);
    view.setInt32(8, before.flags | (on ? 1 : 0), true);
    view.setBigUint64(16, before.size, true);
  }
  task.alternativeStack = next;
  return 0;
};

function checkSignal(number: number): void {
  if (number < 0 || number > lastSignal) throw new LinuxError(errno.invalid);
}

function mayKill({ process }: Task, target: GuestProcess): boolean {
  const { uid } = process.credentials;
  return uid === 0 || uid === target.credentials.uid;
}

const kill: SystemCall = (task, [pidBits, numberBits]) => {
  const pid = int(pidBits);
  const number = int(numberBits);
  checkSignal(number);
  const { process } = task;
  const all = [...process.kernel.processes.values()];
  const group = pid === 0 ? process.group : -pid;
  const targets = all.filter((one) => {
    if (pid > 0) return one.pid === pid;
    return pid === -1 ? one !== process : one.group === group;
  });
  if (targets.length === 0) throw new LinuxError(errno.noProcess);
  const allowed = targets.filter((target) => mayKill(task, target));
  if (allowed.length === 0) throw new LinuxError(errno.notPermitted);
  const { uid } = process.credentials;
  // Itself last: the others are told even if that is the end of it.
  const ordered = allowed.toSorted((a, b) => Number(a === process) - Number(b === process));
  for (const target of ordered) {
    sendSignal(target, { signal: number, code: signalCode.user, pid: process.pid, uid });
  }
  return 0;
};

function killThread(
  task: Task,
  which: { readonly group?: number; readonly tid: number },
  number: number,
): number {
  checkSignal(number);
  const { process } = task;
  for (const target of process.kernel.processes.values()) {
    if (which.group !== undefined && target.pid !== which.group) continue;
    for (const thread of target.tasks) {
      if (thread.tid !== which.tid) continue;
      if (!mayKill(task, target)) throw new LinuxError(errno.notPermitted);
      const { uid } = process.credentials;
      sendSignal(
        target,
        { signal: number, code: signalCode.thread, pid: process.pid, uid },
        thread,
      );
      return 0;
    }
  }
  throw new LinuxError(errno.noProcess);
}

/** System calls on signals, by their names in Linux. */
export const signalCalls: SystemCalls = {
  rt_sigaction: rtSigaction,
  rt_sigprocmask: rtSigprocmask,
  rt_sigtimedwait: rtSigtimedwait,
  sigaltstack,
  kill,
  tkill: (task, [tid, number]) => killThread(task, { tid: int(tid) }, int(number)),
  tgkill: (task, [group, tid, number]) =>
    killThread(task, { group: int(group), tid: int(tid) }, int(number)),
  rt_sigqueueinfo: (task, [pid, numberBits, info]) => {
    const target = task.process.kernel.processes.get(int(pid));
    const number = int(numberBits);
    checkSignal(number);
    if (target === undefined) throw new LinuxError(errno.noProcess);
    const value = viewOf(guestBytes(task.memory, info, 32)).getBigUint64(24, true);
    const { uid } = task.process.credentials;
    sendSignal(target, { signal: number, code: signalCode.queue, pid: task.pid, uid, value });
    return 0;
  },
  rt_sigreturn: (task) => {
    leaveHandler(task);
    return undefined;
  },
  rt_sigpending: (task, [set, size]) => {
    checkSize(size);
    let mask = 0n;
    for (const pending of [task.pending, task.process.pending]) {
      for (const number of pending.keys()) mask |= signalBit(number);
    }
    viewOf(guestRoom(task.memory, set, 8)).setBigUint64(0, mask & task.mask, true);
    return 0;
  },
  rt_sigsuspend: (task, [set, size]) => {
    checkSize(size);
    if (task.maskAfterCall === undefined) {
      task.maskAfterCall = task.mask;
      task.mask = readMask(task, set);
    }
    // Only a handler ends it.
    return new Wait([]);
  },
};
