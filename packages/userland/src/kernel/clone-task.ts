import { cpuLayout } from '@tapline/a64';
import { errno, LinuxError } from '../errno.ts';
import { guestRoom, viewOf } from '../memory/guest-memory.ts';
import { GuestProcess } from './guest-process.ts';
import type { Task } from './task.ts';
import { Wait } from './wait-queue.ts';

// include/uapi/linux/sched.h
const cloneFlags = {
  memory: 0x100,
  files: 0x400,
  handlers: 0x800,
  waitForExec: 0x4000,
  thread: 0x10000,
  threadPointer: 0x80000,
  parentTid: 0x100000,
  clearChildTid: 0x200000,
  childTid: 0x1000000,
} as const;
/** CLONE_NEWNS and its like: there is one of each. */
const namespaces = 0x7e020000;

export interface CloneRequest {
  readonly flags: number;
  readonly exitSignal: number;
  /** Its top; 0 for where the parent's is. */
  readonly stack: bigint;
  readonly tls: bigint;
  readonly parentTid: bigint;
  readonly childTid: bigint;
}

interface Started {
  readonly child: GuestProcess;
}

/**
 * A new thread, or a new process: with a copy of the memory, or with the same one. After vfork the
 * parent waits until the child runs something else.
 */
export function cloneTask(task: Task, request: CloneRequest): number | Wait {
  const { flags } = request;
  const started = task.call?.memo as Started | undefined;
  if (started !== undefined) return stillBorrows(started.child);
  if ((flags & namespaces) !== 0) throw new LinuxError(errno.notPermitted);
  const thread = (flags & cloneFlags.thread) !== 0;
  if (thread && (flags & cloneFlags.memory) === 0) throw new LinuxError(errno.invalid);
  const { process } = task;
  const { kernel } = process;
  const tid = kernel.takeId();
  if (tid === undefined) throw new LinuxError(errno.again);
  const owner = thread ? process : fork(task, tid, (flags & cloneFlags.memory) !== 0);
  const child = kernel.addTask(owner, { tid, name: task.name });
  process.space.saveRegisters();
  child.savedRegisters.set(task.savedRegisters);
  const view = viewOf(child.savedRegisters);
  view.setBigUint64(cpuLayout.general, 0n, true);
  if (request.stack !== 0n) view.setBigUint64(cpuLayout.general + 31 * 8, request.stack, true);
  if ((flags & cloneFlags.threadPointer) !== 0) {
    view.setBigUint64(cpuLayout.threadPointer, request.tls, true);
  }
  child.mask = task.mask;
  if ((flags & cloneFlags.memory) === 0) child.alternativeStack = task.alternativeStack;
  if ((flags & cloneFlags.clearChildTid) !== 0) child.clearChildTid = request.childTid;
  const put = (space: GuestProcess, address: bigint): void => {
    viewOf(guestRoom(space.space.memory, address, 4)).setInt32(0, tid, true);
  };
  if ((flags & cloneFlags.childTid) !== 0) put(owner, request.childTid);
  if ((flags & cloneFlags.parentTid) !== 0) put(process, request.parentTid);
  if (!thread && (flags & cloneFlags.waitForExec) !== 0) {
    owner.borrowsSpace = true;
    if (task.call !== undefined) task.call.memo = { child: owner } satisfies Started;
    return stillBorrows(owner);
  }
  return tid;
}

function stillBorrows(child: GuestProcess): number | Wait {
  const waits = child.borrowsSpace && child.exitStatus === undefined;
  return waits ? new Wait([child.released]) : child.pid;
}

function fork(task: Task, pid: number, sharesMemory: boolean): GuestProcess {
  const { process } = task;
  const { kernel, space } = process;
  if (sharesMemory) space.references++;
  const child = new GuestProcess({
    pid,
    parent: process,
    kernel,
    space: sharesMemory ? space : space.fork(),
    descriptors: process.descriptors.copy(),
    folder: process.folder,
    root: process.root,
    session: process.session,
    group: process.group,
  });
  child.umask = process.umask;
  child.niceness = process.niceness;
  child.credentials = process.credentials;
  child.actions = new Map(process.actions);
  child.image = process.image;
  for (const [number, limit] of process.limits) child.limits.set(number, limit);
  process.children.add(child);
  kernel.processes.set(pid, child);
  return child;
}
