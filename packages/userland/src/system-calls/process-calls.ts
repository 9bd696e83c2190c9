import { errno, LinuxError } from '../errno.ts';
import { guestRoom, viewOf } from '../guest-memory.ts';
import type { SystemCall } from '../guest-process.ts';
import { writeTime } from './write-stat.ts';

/** Of the one process that there is. */
const processId = 1;
const user = 0;
const clocks = { realtime: 0, realtimeCoarse: 5 };
const unlimited = 2n ** 64n - 1n;
const stackLimit = 3;
const stackSize = 8n * 1024n * 1024n;

function exit(process: Parameters<SystemCall>[0], code: bigint): number {
  process.exitCode = Number(code & 0xffn);
  return 0;
}

const uname: SystemCall = ({ cpu }, [buffer]) => {
  const fields = ['Linux', 'tapline', '6.1.0', '#1 tapline', 'aarch64', '(none)'];
  const room = guestRoom(cpu.memory, buffer, 65 * fields.length);
  room.fill(0);
  for (const [index, field] of fields.entries()) {
    room.set(new TextEncoder().encode(field), index * 65);
  }
  return 0;
};

const prlimit64: SystemCall = ({ cpu }, [, resource, , old]) => {
  if (old === 0n) return 0;
  const view = viewOf(guestRoom(cpu.memory, old, 16));
  const stack = Number(resource) === stackLimit;
  view.setBigUint64(0, stack ? stackSize : unlimited, true);
  view.setBigUint64(8, unlimited, true);
  return 0;
};

/** System calls on the process, its user and the time, by their names in Linux. */
export const processCalls: Readonly<Record<string, SystemCall>> = {
  uname,
  prlimit64,
  exit: (process, [code]) => exit(process, code),
  exit_group: (process, [code]) => exit(process, code),
  set_tid_address: () => processId,
  getpid: () => processId,
  gettid: () => processId,
  getppid: () => 0,
  getuid: () => user,
  geteuid: () => user,
  getgid: () => user,
  getegid: () => user,
  // Names of threads are for people; nothing else is asked for yet.
  prctl: () => 0,
  getrandom: ({ cpu, rng }, [buffer, size]) => {
    const room = guestRoom(cpu.memory, buffer, Math.min(Number(size), 65_536));
    for (let at = 0; at < room.length; at++) room[at] = Math.floor(rng() * 256);
    return room.length;
  },
  clock_gettime: ({ cpu, clock }, [id, buffer]) => {
    const number = Number(id & 0xffffffffn);
    if (number > 11) throw new LinuxError(errno.invalid);
    const wall = number === clocks.realtime || number === clocks.realtimeCoarse;
    writeTime(viewOf(guestRoom(cpu.memory, buffer, 16)), 0, wall ? clock.now() : clock.monotonic());
    return 0;
  },
};
