import { errno, LinuxError } from '../errno.ts';
import { pathInside, findPlace } from '../files/resolve-path.ts';
import { type CloneRequest, cloneTask } from '../kernel/clone-task.ts';
import { exitThread } from '../kernel/exit-thread.ts';
import type { GuestProcess } from '../kernel/guest-process.ts';
import { signalCode } from '../kernel/signals.ts';
import type { Task } from '../kernel/task.ts';
import { Wait } from '../kernel/wait-queue.ts';
import { guestBytes, guestRoom, guestString, viewOf } from '../memory/guest-memory.ts';
import { execute } from '../program/execute.ts';
import { int, unsigned } from './arguments.ts';
import { atFlags, contextAt } from './paths.ts';
import type { SystemCall, SystemCalls } from './system-call.ts';
import { writeUsage } from './write-usage.ts';

const largestList = 2 * 1024 * 1024;
const waitOptions = { noHang: 1, stopped: 2, exited: 4, continued: 8, noWait: 0x1000000 } as const;
/** P_ALL, P_PID, P_PGID */
const idKinds = { all: 0, process: 1, group: 2 } as const;

/** A list of strings that ends with a null pointer. */
function readList(task: Task, address: bigint): readonly string[] {
  const list: string[] = [];
  if (address === 0n) return list;
  let total = 0;
  for (let at = address; ; at += 8n) {
    const pointer = viewOf(guestBytes(task.memory, at, 8)).getBigUint64(0, true);
    if (pointer === 0n) return list;
    const text = guestString(task.memory, pointer, 131_072);
    total += text.length + 9;
    if (total > largestList) throw new LinuxError(errno.argumentsTooLong);
    list.push(text);
  }
}

function executeAt(
  task: Task,
  what: { readonly folder: bigint; readonly path: bigint; readonly flags: number },
  lists: readonly [bigint, bigint],
): undefined {
  const path = guestString(task.memory, what.path);
  const [argv, env] = lists.map((list) => readList(task, list));
  const rest = { argv: argv ?? [], env: env ?? [] };
  if (path === '' && (what.flags & atFlags.emptyPath) !== 0) {
    const { inode, path: canonical } = task.process.descriptors.get(int(what.folder));
    execute(task, { inode, path: `/dev/fd/${int(what.folder)}`, canonical, ...rest });
    return undefined;
  }
  const followLast = (what.flags & atFlags.noFollow) === 0;
  const place = findPlace(contextAt(task, what.folder, path), path, { followLast });
  const { inode, parent, name } = place;
  if (inode === undefined) throw new LinuxError(errno.noEntry);
  execute(task, { inode, path, canonical: pathInside(parent, name, task.process.root), ...rest });
  return undefined;
}

const clone: SystemCall = (task, [flags, stack, parentTid, tls, childTid]) =>
  cloneTask(task, {
    flags: Number(flags & ~0xffn & 0xffffffffn),
    exitSignal: Number(flags & 0xffn),
    stack,
    tls,
    parentTid,
    childTid,
  });

const clone3: SystemCall = (task, [address, size]) => {
  if (size < 64n || size > 4096n) throw new LinuxError(errno.invalid);
  const view = viewOf(guestBytes(task.memory, address, Number(size)));
  const field = (index: number): bigint => view.getBigUint64(index * 8, true);
  const request: CloneRequest = {
    flags: Number(field(0) & 0xffffffffn),
    exitSignal: Number(field(4)),
    // CLONE_ARGS: the stack is given by its lowest address and its size.
    stack: field(5) === 0n ? 0n : field(5) + field(6),
    tls: field(7),
    parentTid: field(3),
    childTid: field(2),
  };
  return cloneTask(task, request);
};

interface Found {
  readonly child: GuestProcess;
  readonly what: 'exited' | 'stopped' | 'continued';
}

interface WaitFor {
  readonly matches: (child: GuestProcess) => boolean;
  readonly options: number;
}

/** A child of which there is something to be told; undefined where there is nothing yet. */
function findChild({ process }: Task, { matches, options }: WaitFor): Found | undefined {
  const children = [...process.children].filter(matches);
  if (children.length === 0) throw new LinuxError(errno.noChild);
  for (const child of children) {
    if (child.exitStatus !== undefined && (options & waitOptions.exited) !== 0) {
      return { child, what: 'exited' };
    }
    if (child.report === 'stopped' && (options & waitOptions.stopped) !== 0) {
      return { child, what: 'stopped' };
    }
    if (child.report === 'continued' && (options & waitOptions.continued) !== 0) {
      return { child, what: 'continued' };
    }
  }
  return undefined;
}

/** What was told once is not told again. */
function settle(task: Task, { child, what }: Found, options: number): void {
  if ((options & waitOptions.noWait) !== 0) return;
  if (what === 'exited') {
    task.process.childrenUsedMs += child.usedMs + child.childrenUsedMs;
    task.process.kernel.reap(child);
  } else child.report = undefined;
}

function statusOf({ child, what }: Found): number {
  if (what === 'exited') return child.exitStatus ?? 0;
  return what === 'stopped' ? ((child.stoppedBy ?? 0) << 8) | 0x7f : 0xffff;
}

const wait4: SystemCall = (task, [pidBits, statusAddress, optionBits, usage]) => {
  const pid = int(pidBits);
  const options = unsigned(optionBits) | waitOptions.exited;
  const { process } = task;
  const group = pid === 0 ? process.group : -pid;
  const found = findChild(task, {
    matches: (child) => pid === -1 || (pid > 0 ? child.pid === pid : child.group === group),
    options,
  });
  if (found === undefined) {
    return (options & waitOptions.noHang) === 0 ? new Wait([process.childChanged]) : 0;
  }
  if (statusAddress !== 0n) {
    viewOf(guestRoom(task.memory, statusAddress, 4)).setInt32(0, statusOf(found), true);
  }
  if (usage !== 0n) writeUsage(guestRoom(task.memory, usage, 144), found.child.usedMs);
  settle(task, found, options);
  return found.child.pid;
};

const waitid: SystemCall = (task, [kind, idBits, address, optionBits, usage]) => {
  const id = int(idBits);
  const options = unsigned(optionBits);
  const { process } = task;
  const found = findChild(task, {
    matches: (child) =>
      unsigned(kind) === idKinds.all ||
      (unsigned(kind) === idKinds.process
        ? child.pid === id
        : child.group === (id === 0 ? process.group : id)),
    options,
  });
  if (address !== 0n && found === undefined) guestRoom(task.memory, address, 128).fill(0);
  if (found === undefined) {
    return (options & waitOptions.noHang) === 0 ? new Wait([process.childChanged]) : 0;
  }
  const status = statusOf(found);
  const killed = found.what === 'exited' && (status & 0x7f) !== 0;
  if (address !== 0n) {
    const view = viewOf(guestRoom(task.memory, address, 128).fill(0));
    const code = killed ? signalCode.killed + ((status & 0x80) >> 7) : signalCode[found.what];
    view.setInt32(0, 17, true);
    view.setInt32(8, code, true);
    view.setInt32(16, found.child.pid, true);
    view.setInt32(24, killed ? status & 0x7f : found.what === 'continued' ? 18 : status >> 8, true);
  }
  if (usage !== 0n) writeUsage(guestRoom(task.memory, usage, 144), found.child.usedMs);
  settle(task, found, options);
  return 0;
};

function processOf(task: Task, pid: number): GuestProcess {
  if (pid === 0) return task.process;
  const found = task.process.kernel.processes.get(pid);
  if (found === undefined) throw new LinuxError(errno.noProcess);
  return found;
}

const setpgid: SystemCall = (task, [pid, groupBits]) => {
  const target = processOf(task, int(pid));
  const group = int(groupBits) === 0 ? target.pid : int(groupBits);
  if (group < 0) throw new LinuxError(errno.invalid);
  const { process } = task;
  if (target !== process && target.parent !== process) throw new LinuxError(errno.noProcess);
  if (target.session !== process.session || target.session.id === target.pid) {
    throw new LinuxError(errno.notPermitted);
  }
  const members = [...process.kernel.processes.values()].filter((one) => one.group === group);
  const exists = members.some((one) => one.session === target.session);
  if (group !== target.pid && !exists) throw new LinuxError(errno.notPermitted);
  target.group = group;
  return 0;
};

/** System calls on processes, by their names in Linux. */
export const processCalls: SystemCalls = {
  clone,
  clone3,
  execve: (task, [path, argv, env]) =>
    executeAt(task, { folder: -100n, path, flags: 0 }, [argv, env]),
  execveat: (task, [folder, path, argv, env, flags]) =>
    executeAt(task, { folder, path, flags: unsigned(flags) }, [argv, env]),
  exit: (task, [code]) => {
    exitThread(task, int(code) & 0xff);
    return undefined;
  },
  exit_group: ({ process }, [code]) => {
    process.kernel.exitProcess(process, (int(code) & 0xff) << 8);
    return undefined;
  },
  wait4,
  waitid,
  setpgid,
  getpgid: (task, [pid]) => processOf(task, int(pid)).group,
  getsid: (task, [pid]) => processOf(task, int(pid)).session.id,
  setsid: ({ process }) => {
    const leads = [...process.kernel.processes.values()].some(({ group }) => group === process.pid);
    if (leads) throw new LinuxError(errno.notPermitted);
    process.session = { id: process.pid, terminal: undefined };
    process.group = process.pid;
    return process.pid;
  },
  getpid: ({ process }) => process.pid,
  gettid: ({ tid }) => tid,
  // Whose parent has ended, or who never had one, is init's.
  getppid: ({ process }) => process.parent?.pid ?? 1,
  set_tid_address: (task, [address]) => {
    task.clearChildTid = address;
    return task.tid;
  },
  set_robust_list: (task, [address]) => {
    task.robustList = address;
    return 0;
  },
};
