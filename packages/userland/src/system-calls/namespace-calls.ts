import { errno, LinuxError } from '../errno.ts';
import { requireAccess, requireOwner } from '../files/access.ts';
import { createDirectory, createFile, createLink, createSpecial } from '../files/create-inode.ts';
import type { Inode } from '../files/inode.ts';
import { findPlace } from '../files/resolve-path.ts';
import {
  addEntry,
  makeHardLink,
  removeDirectory,
  rename,
  requireFree,
  unlink,
} from '../files/tree-operations.ts';
import type { Task } from '../kernel/task.ts';
import { guestBytes, guestString, viewOf } from '../memory/guest-memory.ts';
import { int, unsigned } from './arguments.ts';
import { ownerOf } from './owner-of.ts';
import { atFlags, contextAt, inodeAt, placeAt } from './paths.ts';
import type { SystemCall, SystemCalls } from './system-call.ts';

// S_IFMT and what it can be.
const format = { mask: 0o170000, fifo: 0o010000, file: 0o100000, socket: 0o140000 };
/** UTIME_NOW, UTIME_OMIT */
const timeNow = 0x3fffffff;
const timeOmit = 0x3ffffffe;

const mknodat: SystemCall = (task, [folder, path, modeBits]) => {
  const mode = unsigned(modeBits);
  const place = placeAt(task, { folder, path });
  requireFree(place, 'other');
  const owner = ownerOf(task, place, mode);
  const { system } = place.parent;
  const kind = mode & format.mask;
  let inode: Inode;
  if (kind === format.fifo) inode = createSpecial(system, owner, { kind: 'fifo', special: 0 });
  else if (kind === format.socket) {
    inode = createSpecial(system, owner, { kind: 'socket', special: 0 });
  } else if (kind === format.file || kind === 0) inode = createFile(system, owner);
  else throw new LinuxError(errno.notPermitted);
  addEntry(place, inode, task.process.credentials);
  return 0;
};

const renameat2: SystemCall = (task, [fromFolder, from, toFolder, to, flagBits]) => {
  const flags = unsigned(flagBits);
  if ((flags & ~3) !== 0 || flags === 3) throw new LinuxError(errno.invalid);
  const mode = flags === 1 ? 'new' : flags === 2 ? 'exchange' : 'replace';
  const source = placeAt(task, { folder: fromFolder, path: from });
  const target = placeAt(task, { folder: toFolder, path: to });
  rename(source, target, { credentials: task.process.credentials, mode });
  return 0;
};

const utimensat: SystemCall = (task, [folder, path, times, flagBits]) => {
  const flags = unsigned(flagBits);
  const inode =
    path === 0n
      ? task.process.descriptors.get(int(folder)).inode
      : inodeAt(
          task,
          { folder, path },
          {
            followLast: (flags & atFlags.noFollow) === 0,
            emptyPath: (flags & atFlags.emptyPath) !== 0,
          },
        );
  if (inode.system.readOnly) throw new LinuxError(errno.readOnly);
  const now = inode.system.now();
  const { credentials } = task.process;
  if (times === 0n) {
    if (inode.uid !== credentials.uid) requireAccess(inode, credentials, 2);
    inode.accessedMs = inode.modifiedMs = inode.changedMs = now;
    return 0;
  }
  const view = viewOf(guestBytes(task.memory, times, 32));
  const [accessed, modified] = [0, 16].map((at) => {
    const nanoseconds = Number(view.getBigInt64(at + 8, true));
    if (nanoseconds === timeNow) return now;
    if (nanoseconds === timeOmit) return undefined;
    if (nanoseconds < 0 || nanoseconds > 999_999_999) throw new LinuxError(errno.invalid);
    return Number(view.getBigInt64(at, true)) * 1000 + nanoseconds / 1e6;
  });
  if (accessed === undefined && modified === undefined) return 0;
  requireOwner(inode, credentials);
  inode.accessedMs = accessed ?? inode.accessedMs;
  inode.modifiedMs = modified ?? inode.modifiedMs;
  inode.changedMs = now;
  return 0;
};

function changeMode(task: Task, inode: Inode, mode: bigint): number {
  if (inode.system.readOnly) throw new LinuxError(errno.readOnly);
  requireOwner(inode, task.process.credentials);
  inode.mode = unsigned(mode) & 0o7777;
  inode.changedMs = inode.system.now();
  return 0;
}

function changeOwner(task: Task, inode: Inode, uid: bigint, gid: bigint): number {
  if (inode.system.readOnly) throw new LinuxError(errno.readOnly);
  const { credentials } = task.process;
  const changesUser = int(uid) !== -1 && int(uid) !== inode.uid;
  const foreign = int(gid) !== -1 && ![credentials.gid, ...credentials.groups].includes(int(gid));
  if (credentials.uid !== 0 && (inode.uid !== credentials.uid || changesUser || foreign)) {
    throw new LinuxError(errno.notPermitted);
  }
  if (int(uid) !== -1) inode.uid = unsigned(uid);
  if (int(gid) !== -1) inode.gid = unsigned(gid);
  if (inode.kind === 'file' && (inode.mode & 0o111) !== 0) {
    // Set-group-id without execute is a mark of mandatory locks, and stays.
    inode.mode &= ~0o4000 & ((inode.mode & 0o010) === 0 ? ~0 : ~0o2000);
  }
  inode.changedMs = inode.system.now();
  return 0;
}

/** System calls that change names and what files say of themselves, by their names in Linux. */
export const namespaceCalls: SystemCalls = {
  mknodat,
  renameat2,
  utimensat,
  renameat: (task, [fromFolder, from, toFolder, to]) =>
    renameat2(task, [fromFolder, from, toFolder, to, 0n, 0n]),
  mkdirat: (task, [folder, path, mode]) => {
    const place = placeAt(task, { folder, path });
    requireFree(place, 'directory');
    const { parent, name } = place;
    const owner = ownerOf(task, place, unsigned(mode) & 0o1777);
    const inherited = parent.mode & 0o2000;
    const made = { ...owner, mode: owner.mode | inherited };
    addEntry(
      place,
      createDirectory(parent.system, made, { name, parent }),
      task.process.credentials,
    );
    return 0;
  },
  unlinkat: (task, [folder, path, flagBits]) => {
    const flags = unsigned(flagBits);
    if ((flags & ~atFlags.removeDirectory) !== 0) throw new LinuxError(errno.invalid);
    const place = placeAt(task, { folder, path });
    const { credentials } = task.process;
    if (flags === 0) unlink(place, credentials);
    else removeDirectory(place, credentials);
    return 0;
  },
  symlinkat: (task, [target, folder, path]) => {
    const text = guestString(task.memory, target);
    if (text === '') throw new LinuxError(errno.noEntry);
    const place = placeAt(task, { folder, path });
    requireFree(place, 'other');
    const owner = ownerOf(task, place, 0o777);
    addEntry(place, createLink(place.parent.system, owner, text), task.process.credentials);
    return 0;
  },
  linkat: (task, [fromFolder, from, toFolder, to, flagBits]) => {
    const flags = unsigned(flagBits);
    const inode = inodeAt(
      task,
      { folder: fromFolder, path: from },
      {
        followLast: (flags & atFlags.follow) !== 0,
        emptyPath: (flags & atFlags.emptyPath) !== 0,
      },
    );
    const path = guestString(task.memory, to);
    const place = findPlace(contextAt(task, toFolder, path), path, {
      followLast: false,
      nameOnly: true,
    });
    makeHardLink(inode, place, task.process.credentials);
    return 0;
  },
  fchmod: (task, [number, mode]) =>
    changeMode(task, task.process.descriptors.get(int(number)).inode, mode),
  fchmodat: (task, [folder, path, mode]) =>
    changeMode(task, inodeAt(task, { folder, path }, { followLast: true }), mode),
  fchown: (task, [number, uid, gid]) =>
    changeOwner(task, task.process.descriptors.get(int(number)).inode, uid, gid),
  fchownat: (task, [folder, path, uid, gid, flagBits]) => {
    const flags = unsigned(flagBits);
    const inode = inodeAt(
      task,
      { folder, path },
      {
        followLast: (flags & atFlags.noFollow) === 0,
        emptyPath: (flags & atFlags.emptyPath) !== 0,
      },
    );
    return changeOwner(task, inode, uid, gid);
  },
  umask: ({ process }, [mask]) => {
    const before = process.umask;
    process.umask = unsigned(mask) & 0o777;
    return before;
  },
};
