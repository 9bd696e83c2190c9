import { errno, LinuxError } from '../errno.ts';
import type { DirectoryInode, Inode } from '../files/inode.ts';
import { findPlace, type PathContext, pathInside, type Place } from '../files/resolve-path.ts';
import { pathContext } from '../kernel/path-context.ts';
import type { Task } from '../kernel/task.ts';
import { guestString } from '../memory/guest-memory.ts';
import { int } from './arguments.ts';

/** AT_FDCWD. */
const currentFolder = -100;
// include/uapi/linux/fcntl.h
export const atFlags = {
  noFollow: 0x100,
  effectiveAccess: 0x200,
  removeDirectory: 0x200,
  follow: 0x400,
  emptyPath: 0x1000,
} as const;

/** Where relative paths of a call with a folder's descriptor begin. */
export function contextAt(task: Task, folder: bigint, path: string): PathContext {
  const number = int(folder);
  if (path.startsWith('/') || number === currentFolder) return pathContext(task);
  const { inode } = task.process.descriptors.get(number);
  if (inode.kind !== 'directory') throw new LinuxError(errno.notDirectory);
  return pathContext(task, inode);
}

/** A name that is to be made, moved or removed. */
export function placeAt(task: Task, at: { readonly folder: bigint; readonly path: bigint }): Place {
  const path = guestString(task.memory, at.path);
  return findPlace(contextAt(task, at.folder, path), path, { followLast: false, nameOnly: true });
}

/** What is there, or what the descriptor is for where the path is empty and that is allowed. */
export function inodeAt(
  task: Task,
  at: { readonly folder: bigint; readonly path: bigint },
  how: { readonly followLast: boolean; readonly emptyPath?: boolean },
): Inode {
  const path = at.path === 0n && how.emptyPath === true ? '' : guestString(task.memory, at.path);
  if (path === '' && how.emptyPath === true) {
    if (int(at.folder) === currentFolder) return task.process.folder;
    return task.process.descriptors.get(int(at.folder)).inode;
  }
  const { inode } = findPlace(contextAt(task, at.folder, path), path, how);
  if (inode === undefined) throw new LinuxError(errno.noEntry);
  return inode;
}

export function directoryAt(
  task: Task,
  at: { readonly folder: bigint; readonly path: bigint },
): DirectoryInode {
  const inode = inodeAt(task, at, { followLast: true });
  if (inode.kind !== 'directory') throw new LinuxError(errno.notDirectory);
  return inode;
}

/** For /proc: the absolute path of a place. */
export function describe(task: Task, { parent, name, inode }: Place): string {
  if (name === '..' && inode?.kind === 'directory') {
    return pathInside(inode, '', task.process.root);
  }
  if (name === '' && inode?.kind === 'directory') return pathInside(inode, '', task.process.root);
  return pathInside(parent, name, task.process.root);
}
