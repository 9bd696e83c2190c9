import { errno, LinuxError } from '../errno.ts';
import { requireAccess } from '../files/access.ts';
import { createFile } from '../files/create-inode.ts';
import type { Inode } from '../files/inode.ts';
import { type OpenFile, openFlags } from '../files/open-file.ts';
import { HalfOpen, openInode } from '../files/open-inode.ts';
import { findPlace, type Place } from '../files/resolve-path.ts';
import { addEntry, requireFree } from '../files/tree-operations.ts';
import type { Task } from '../kernel/task.ts';
import { Wait } from '../kernel/wait-queue.ts';
import { ownerOf } from './owner-of.ts';
import { contextAt, describe } from './paths.ts';

interface OpenRequest {
  readonly folder: bigint;
  readonly path: string;
  readonly flags: number;
  readonly mode: number;
}

/** Opens a file by its name, and makes it where that is asked for. */
export function openAt(task: Task, request: OpenRequest): number | Wait {
  const { flags } = request;
  // A named pipe whose other end is waited for is open already.
  const half = task.call?.memo;
  if (half instanceof HalfOpen) return half.ready ? install(task, half.file, flags) : half;
  const { inode, path, fresh } = findOrCreate(task, request);
  if ((flags & openFlags.directory) !== 0 && inode.kind !== 'directory') {
    throw new LinuxError(errno.notDirectory);
  }
  const kept = flags | openFlags.largeFile;
  const opened = openInode(task, inode, { flags: kept, path, fresh });
  if (opened instanceof HalfOpen) {
    if (task.call !== undefined) {
      task.call.memo = opened;
      task.call.cancel = () => opened.file.close?.();
    }
    return opened;
  }
  return opened instanceof Wait ? opened : install(task, opened, flags);
}

function install(task: Task, file: OpenFile, flags: number): number {
  const closeOnExec = (flags & openFlags.closeOnExec) !== 0;
  return task.process.descriptors.add(file, { closeOnExec });
}

function findOrCreate(
  task: Task,
  { folder, path, flags, mode }: OpenRequest,
): { readonly inode: Inode; readonly path: string; readonly fresh: boolean } {
  const creates = (flags & openFlags.create) !== 0;
  const exclusive = creates && (flags & openFlags.exclusive) !== 0;
  // As Linux has it since 6.4: a folder is not made so.
  if (creates && (flags & openFlags.directory) !== 0) throw new LinuxError(errno.invalid);
  const followLast = (flags & openFlags.noFollow) === 0 && !exclusive;
  const context = contextAt(task, folder, path);
  if (creates && path.endsWith('/')) {
    // A slash asks for a folder, and that is not made so, whatever is there.
    const { name } = findPlace(context, path, { followLast: false, nameOnly: true });
    if (name !== '' && name !== '.' && name !== '..') throw new LinuxError(errno.isDirectory);
  }
  const place = findPlace(context, path, { followLast });
  if ((flags & openFlags.temporary) === openFlags.temporary)
    return createUnnamed(task, place, mode);
  const { inode } = place;
  if (inode !== undefined) {
    if (exclusive) throw new LinuxError(errno.exists);
    if (creates && place.slash) throw new LinuxError(errno.isDirectory);
    return { inode, path: describe(task, place), fresh: false };
  }
  if (!creates) throw new LinuxError(errno.noEntry);
  if (place.slash) throw new LinuxError(errno.isDirectory);
  requireFree(place, 'other');
  const made = createFile(place.parent.system, ownerOf(task, place, mode));
  addEntry(place, made, task.process.credentials);
  return { inode: made, path: describe(task, place), fresh: true };
}

/** O_TMPFILE: a file without a name. */
function createUnnamed(
  task: Task,
  place: Place,
  mode: number,
): { readonly inode: Inode; readonly path: string; readonly fresh: boolean } {
  const { inode: folder } = place;
  if (folder === undefined) throw new LinuxError(errno.noEntry);
  if (folder.kind !== 'directory') throw new LinuxError(errno.notDirectory);
  requireAccess(folder, task.process.credentials, 3);
  const made = createFile(folder.system, ownerOf(task, place, mode));
  made.links = 0;
  return { inode: made, path: `${describe(task, place)}/#${made.number} (deleted)`, fresh: true };
}
