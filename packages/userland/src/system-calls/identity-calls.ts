import { errno, LinuxError } from '../errno.ts';
import type { Task } from '../kernel/task.ts';
import { guestBytes, guestRoom, viewOf } from '../memory/guest-memory.ts';
import { int, unsigned } from './arguments.ts';
import type { SystemCall, SystemCalls } from './system-call.ts';

/** (uid_t) -1 */
const keep = 0xffffffff;

/** Real, effective and saved are one here: whoever gives up being the superuser does so for good. */
function become(task: Task, ids: { readonly uid?: number; readonly gid?: number }): number {
  const { process } = task;
  const { credentials } = process;
  const { uid = credentials.uid, gid = credentials.gid } = ids;
  const changes = uid !== credentials.uid || gid !== credentials.gid;
  if (changes && credentials.uid !== 0) throw new LinuxError(errno.notPermitted);
  process.credentials = { ...credentials, uid, gid };
  return 0;
}

function chosen(...wanted: readonly bigint[]): number | undefined {
  return wanted.map(unsigned).findLast((id) => id !== keep);
}

function becomeUser(...wanted: readonly bigint[]): (task: Task) => number {
  const uid = chosen(...wanted);
  return (task) => become(task, uid === undefined ? {} : { uid });
}

function becomeGroup(...wanted: readonly bigint[]): (task: Task) => number {
  const gid = chosen(...wanted);
  return (task) => become(task, gid === undefined ? {} : { gid });
}

function three(which: 'uid' | 'gid'): SystemCall {
  return (task, [real, effective, saved]) => {
    for (const address of [real, effective, saved]) {
      const view = viewOf(guestRoom(task.memory, address, 4));
      view.setUint32(0, task.process.credentials[which], true);
    }
    return 0;
  };
}

/** System calls on users and groups, by their names in Linux. */
export const identityCalls: SystemCalls = {
  getuid: ({ process }) => process.credentials.uid,
  geteuid: ({ process }) => process.credentials.uid,
  getgid: ({ process }) => process.credentials.gid,
  getegid: ({ process }) => process.credentials.gid,
  getresuid: three('uid'),
  getresgid: three('gid'),
  setuid: (task, [uid]) => becomeUser(uid)(task),
  setgid: (task, [gid]) => becomeGroup(gid)(task),
  setreuid: (task, [real, effective]) => becomeUser(real, effective)(task),
  setregid: (task, [real, effective]) => becomeGroup(real, effective)(task),
  setresuid: (task, [real, effective]) => becomeUser(real, effective)(task),
  setresgid: (task, [real, effective]) => becomeGroup(real, effective)(task),
  getgroups: (task, [size, list]) => {
    const { groups } = task.process.credentials;
    if (int(size) === 0) return groups.length;
    if (int(size) < groups.length) throw new LinuxError(errno.invalid);
    const view = viewOf(guestRoom(task.memory, list, groups.length * 4));
    for (const [index, group] of groups.entries()) view.setUint32(index * 4, group, true);
    return groups.length;
  },
  setgroups: (task, [size, list]) => {
    const { process } = task;
    if (process.credentials.uid !== 0) throw new LinuxError(errno.notPermitted);
    if (int(size) < 0 || int(size) > 65_536) throw new LinuxError(errno.invalid);
    const view = viewOf(guestBytes(task.memory, list, int(size) * 4));
    const groups = Array.from({ length: int(size) }, (_, index) => view.getUint32(index * 4, true));
    process.credentials = { ...process.credentials, groups };
    return 0;
  },
};
