import { bytesOf } from '../byte-string.ts';
import { errno, LinuxError } from '../errno.ts';
import type { GuestProcess } from '../kernel/guest-process.ts';
import type { Task } from '../kernel/task.ts';
import { guestBytes, guestRoom, guestString, viewOf } from '../memory/guest-memory.ts';
import { byteString } from '../byte-string.ts';
import { int, unsigned } from './arguments.ts';
import type { SystemCall, SystemCalls } from './system-call.ts';
import { writeUsage } from './write-usage.ts';

const unlimited = 2n ** 64n - 1n;
/** RLIMIT_STACK, RLIMIT_NPROC, RLIMIT_NOFILE */
const limitKinds = { stack: 3, processes: 6, files: 7 } as const;
const lastLimit = 15;
/** PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_GET_DUMPABLE, PR_SET_NAME, PR_GET_NAME, … */
const controls = {
  setDeathSignal: 1,
  getDeathSignal: 2,
  getDumpable: 3,
  setDumpable: 4,
  setName: 15,
  getName: 16,
  capabilityBounding: 23,
  setNoNewPrivileges: 38,
  getNoNewPrivileges: 39,
} as const;
const capabilityVersion = 0x20080522;

const uname: SystemCall = (task, [buffer]) => {
  const { hostName } = task.process.kernel;
  const fields = ['Linux', hostName, '6.1.0', '#1 SMP', 'aarch64', '(none)'];
  const room = guestRoom(task.memory, buffer, 65 * fields.length).fill(0);
  for (const [index, field] of fields.entries()) room.set(bytesOf(byteString(field)), index * 65);
  return 0;
};

function limitOf({ process }: Task, kind: number): readonly [bigint, bigint] {
  const changed = process.limits.get(kind);
  if (changed !== undefined) return changed;
  switch (kind) {
    case limitKinds.stack:
      return [BigInt(process.space.stackSize), unlimited];
    case limitKinds.files:
      return [BigInt(process.descriptors.limit), 1_048_576n];
    case limitKinds.processes:
      return [1024n, 1024n];
    default:
      return [unlimited, unlimited];
  }
}

function changeLimit(task: Task, kindBits: bigint, next: bigint, old: bigint): number {
  const kind = unsigned(kindBits);
  if (kind > lastLimit) throw new LinuxError(errno.invalid);
  const before = limitOf(task, kind);
  if (next !== 0n) {
    const view = viewOf(guestBytes(task.memory, next, 16));
    const soft = view.getBigUint64(0, true);
    const hard = view.getBigUint64(8, true);
    if (soft > hard) throw new LinuxError(errno.invalid);
    if (hard > before[1] && task.process.credentials.uid !== 0) {
      throw new LinuxError(errno.notPermitted);
    }
    task.process.limits.set(kind, [soft, hard]);
    if (kind === limitKinds.files) {
      task.process.descriptors.limit = Number(soft < 1_048_576n ? soft : 1_048_576n);
    }
  }
  if (old !== 0n) {
    const view = viewOf(guestRoom(task.memory, old, 16));
    view.setBigUint64(0, before[0], true);
    view.setBigUint64(8, before[1], true);
  }
  return 0;
}

const prctl: SystemCall = (task, [what, argument]) => {
  switch (unsigned(what)) {
    case controls.setName:
      task.name = guestString(task.memory, argument, 16_384).slice(0, 15);
      return 0;
    case controls.getName: {
      const room = guestRoom(task.memory, argument, 16).fill(0);
      room.set(bytesOf(task.name));
      return 0;
    }
    case controls.setDeathSignal:
      task.process.deathSignal = int(argument);
      return 0;
    case controls.getDeathSignal:
      viewOf(guestRoom(task.memory, argument, 4)).setInt32(0, task.process.deathSignal, true);
      return 0;
    case controls.getDumpable:
    case controls.capabilityBounding:
      return 1;
    case controls.setDumpable:
    case controls.setNoNewPrivileges:
    case controls.getNoNewPrivileges:
      return 0;
    default:
      throw new LinuxError(errno.invalid);
  }
};

/** Of PRIO_PROCESS, itself or another; groups and users are who asks. */
function prioritised({ process }: Task, which: bigint, who: bigint): GuestProcess {
  if (unsigned(which) > 2) throw new LinuxError(errno.invalid);
  if (int(which) !== 0 || int(who) === 0) return process;
  const found = process.kernel.processes.get(int(who));
  if (found === undefined) throw new LinuxError(errno.noProcess);
  return found;
}

const sysinfo: SystemCall = (task, [buffer]) => {
  const { kernel } = task.process;
  const view = viewOf(guestRoom(task.memory, buffer, 112).fill(0));
  view.setBigInt64(0, BigInt(Math.floor(kernel.clock.monotonic() / 1000)), true);
  view.setBigUint64(32, BigInt(kernel.memory.limit), true);
  view.setBigUint64(40, BigInt(kernel.memory.limit - kernel.memory.used), true);
  view.setUint16(80, kernel.processes.size, true);
  view.setUint32(104, 1, true);
  return 0;
};

/** System calls on the system as a whole, and limits, by their names in Linux. */
export const systemCalls: SystemCalls = {
  uname,
  prctl,
  sysinfo,
  getrlimit: (task, [kind, address]) => changeLimit(task, kind, 0n, address),
  setrlimit: (task, [kind, address]) => changeLimit(task, kind, address, 0n),
  prlimit64: (task, [pid, kind, next, old]) => {
    if (int(pid) !== 0 && int(pid) !== task.pid) throw new LinuxError(errno.noProcess);
    return changeLimit(task, kind, next, old);
  },
  getrusage: (task, [who, buffer]) => {
    const { usedMs, childrenUsedMs } = task.process;
    // RUSAGE_CHILDREN
    writeUsage(guestRoom(task.memory, buffer, 144), int(who) === -1 ? childrenUsedMs : usedMs);
    return 0;
  },
  getrandom: (task, [buffer, size]) => {
    const room = guestRoom(task.memory, buffer, Number(size < 65_536n ? size : 65_536n));
    const { rng } = task.process.kernel;
    for (let at = 0; at < room.length; at++) room[at] = Math.floor(rng() * 256);
    return room.length;
  },
  getcpu: (task, [cpu, node]) => {
    for (const address of [cpu, node]) {
      if (address !== 0n) viewOf(guestRoom(task.memory, address, 4)).setUint32(0, 0, true);
    }
    return 0;
  },
  sched_getaffinity: (task, [, size, mask]) => {
    if (size < 8n) throw new LinuxError(errno.invalid);
    viewOf(guestRoom(task.memory, mask, 8)).setBigUint64(0, 1n, true);
    return 8;
  },
  sched_setaffinity: () => 0,
  sched_yield: () => 0,
  sched_getscheduler: () => 0,
  sched_setscheduler: () => 0,
  sched_getparam: (task, [, parameters]) => {
    viewOf(guestRoom(task.memory, parameters, 4)).setInt32(0, 0, true);
    return 0;
  },
  sched_setparam: () => 0,
  sched_get_priority_max: (_, [policy]) =>
    unsigned(policy) === 1 || unsigned(policy) === 2 ? 99 : 0,
  sched_get_priority_min: (_, [policy]) =>
    unsigned(policy) === 1 || unsigned(policy) === 2 ? 1 : 0,
  // As the call has it: 20 less the niceness.
  getpriority: (task, [which, who]) => 20 - prioritised(task, which, who).niceness,
  setpriority: (task, [which, who, niceness]) => {
    prioritised(task, which, who).niceness = Math.min(Math.max(int(niceness), -20), 19);
    return 0;
  },
  personality: () => 0,
  capget: (task, [header, data]) => {
    const view = viewOf(guestRoom(task.memory, header, 8));
    const known = view.getUint32(0, true) === capabilityVersion;
    view.setUint32(0, capabilityVersion, true);
    if (!known) throw new LinuxError(errno.invalid);
    if (data !== 0n) guestRoom(task.memory, data, 24).fill(0);
    return 0;
  },
  capset: () => 0,
  // Threads take turns only where they come out: programs do without it.
  rseq: () => {
    throw new LinuxError(errno.noSystemCall);
  },
};
