import { bytesOf } from '../byte-string.ts';
import { errno, LinuxError } from '../errno.ts';
import { mayAccess } from '../files/access.ts';
import type { Inode } from '../files/inode.ts';
import type { Task } from '../kernel/task.ts';
import { guestRoom, viewOf } from '../memory/guest-memory.ts';
import { int, unsigned } from './arguments.ts';
import { atFlags, inodeAt } from './paths.ts';
import type { SystemCalls } from './system-call.ts';
import { writeStat, writeStatx } from './write-stat.ts';

function access(task: Task, inode: Inode, mode: bigint): number {
  const wanted = unsigned(mode);
  if ((wanted & ~7) !== 0) throw new LinuxError(errno.invalid);
  if ((wanted & 2) !== 0 && inode.system.readOnly && inode.kind !== 'character') {
    throw new LinuxError(errno.readOnly);
  }
  if (!mayAccess(inode, task.process.credentials, wanted)) throw new LinuxError(errno.access);
  return 0;
}

/** struct statfs of 64 bits, 120 bytes. */
function writeFileSystem(task: Task, { system }: Inode, address: bigint): number {
  const view = viewOf(guestRoom(task.memory, address, 120).fill(0));
  const blockSize = 4096n;
  const { limit, used } = system.storage;
  const free = BigInt(limit - used) / blockSize;
  view.setBigUint64(0, BigInt(system.magic), true);
  view.setBigUint64(8, blockSize, true);
  view.setBigUint64(16, BigInt(limit) / blockSize, true);
  view.setBigUint64(24, free, true);
  view.setBigUint64(32, free, true);
  view.setBigUint64(40, 1_000_000n, true);
  view.setBigUint64(48, 1_000_000n - BigInt(Math.min(system.nextInode, 1_000_000)), true);
  view.setBigUint64(64, 255n, true);
  view.setBigUint64(72, blockSize, true);
  return 0;
}

/** System calls that look at what files say of themselves, by their names in Linux. */
export const statCalls: SystemCalls = {
  newfstatat: (task, [folder, path, buffer, flagBits]) => {
    const flags = unsigned(flagBits);
    const inode = inodeAt(
      task,
      { folder, path },
      {
        followLast: (flags & atFlags.noFollow) === 0,
        emptyPath: (flags & atFlags.emptyPath) !== 0,
      },
    );
    writeStat(guestRoom(task.memory, buffer, 128), inode);
    return 0;
  },
  fstat: (task, [number, buffer]) => {
    const { inode } = task.process.descriptors.get(int(number));
    writeStat(guestRoom(task.memory, buffer, 128), inode);
    return 0;
  },
  statx: (task, [folder, path, flagBits, , buffer]) => {
    const flags = unsigned(flagBits);
    const inode = inodeAt(
      task,
      { folder, path },
      {
        followLast: (flags & atFlags.noFollow) === 0,
        emptyPath: (flags & atFlags.emptyPath) !== 0,
      },
    );
    writeStatx(guestRoom(task.memory, buffer, 256), inode);
    return 0;
  },
  statfs: (task, [path, buffer]) =>
    writeFileSystem(task, inodeAt(task, { folder: -100n, path }, { followLast: true }), buffer),
  fstatfs: (task, [number, buffer]) =>
    writeFileSystem(task, task.process.descriptors.get(int(number)).inode, buffer),
  faccessat: (task, [folder, path, mode]) =>
    access(task, inodeAt(task, { folder, path }, { followLast: true }), mode),
  faccessat2: (task, [folder, path, mode, flagBits]) => {
    const flags = unsigned(flagBits);
    const inode = inodeAt(
      task,
      { folder, path },
      {
        followLast: (flags & atFlags.noFollow) === 0,
        emptyPath: (flags & atFlags.emptyPath) !== 0,
      },
    );
    return access(task, inode, mode);
  },
  readlinkat: (task, [folder, path, buffer, size]) => {
    if (int(size) <= 0) throw new LinuxError(errno.invalid);
    const inode = inodeAt(task, { folder, path }, { followLast: false, emptyPath: true });
    if (inode.kind !== 'link') throw new LinuxError(errno.invalid);
    const target = bytesOf(inode.target({ pid: task.pid, tid: task.tid })).subarray(0, int(size));
    guestRoom(task.memory, buffer, target.length).set(target);
    return target.length;
  },
};
