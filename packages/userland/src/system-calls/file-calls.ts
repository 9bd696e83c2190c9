import { errno, LinuxError } from '../errno.ts';
import { createFile } from '../files/create-inode.ts';
import type { Inode } from '../files/inode.ts';
import { type OpenFile, openFlags } from '../files/open-file.ts';
import { HalfOpen, openInode } from '../files/open-inode.ts';
import { resizeFile } from '../files/regular-file.ts';
import { findPlace, type Place } from '../files/resolve-path.ts';
import { addEntry, requireFree } from '../files/tree-operations.ts';
import type { Task } from '../kernel/task.ts';
import { Wait } from '../kernel/wait-queue.ts';
import { guestBytes, guestString, viewOf } from '../memory/guest-memory.ts';
import { fileOf, int, memo, size, unsigned } from './arguments.ts';
import { contextAt, describe, inodeAt } from './paths.ts';
import type { SystemCall, SystemCalls } from './system-call.ts';
import { requireAccess } from '../files/access.ts';

const seek = { set: 0, current: 1, end: 2, data: 3, hole: 4 } as const;

interface OpenRequest {
  readonly folder: bigint;
  readonly path: string;
  readonly flags: number;
  readonly mode: number;
}

function open(task: Task, request: OpenRequest): number | Wait {
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

/** Whose a new file is: with set-group-id of the folder, its group's. */
export function ownerOf(
  task: Task,
  { parent }: Place,
  mode: number,
): { readonly mode: number; readonly uid: number; readonly gid: number } {
  const { credentials, umask } = task.process;
  const inherits = (parent.mode & 0o2000) !== 0;
  const { uid } = credentials;
  return {
    mode: mode & 0o7777 & ~umask,
    uid,
    gid: inherits ? parent.gid : credentials.gid,
  };
}

/** Reads as the file says; what waits may not for O_NONBLOCK. */
export function readFile(task: Task, file: OpenFile, most: number): Uint8Array | Wait {
  if (file.read === undefined || (file.flags & openFlags.accessMode) === openFlags.writeOnly) {
    throw new LinuxError(errno.badDescriptor);
  }
  const bytes = file.read(task, most);
  if (bytes instanceof Wait && (file.flags & openFlags.nonBlock) !== 0) {
    throw new LinuxError(errno.again);
  }
  return bytes;
}

/** Writes all of it, and waits in between; without waiting, what goes. */
export function writeFile(task: Task, file: OpenFile, bytes: Uint8Array): number | Wait {
  if (file.write === undefined || (file.flags & openFlags.accessMode) === 0) {
    throw new LinuxError(errno.badDescriptor);
  }
  const { call } = task;
  let done = call?.done ?? 0;
  do {
    let taken: number | Wait;
    try {
      taken = file.write(task, bytes.subarray(done));
    } catch (error) {
      if (done > 0 && error instanceof LinuxError) return done;
      throw error;
    }
    if (taken instanceof Wait) {
      if ((file.flags & openFlags.nonBlock) === 0) return taken;
      if (done === 0) throw new LinuxError(errno.again);
      return done;
    }
    done += taken;
    if (call !== undefined) call.done = done;
  } while (done < bytes.length);
  return done;
}

interface Buffer {
  readonly address: bigint;
  readonly length: number;
}

/** struct iovec. */
export function readVector(task: Task, address: bigint, count: bigint): readonly Buffer[] {
  const number = int(count);
  if (number < 0 || number > 1024) throw new LinuxError(errno.invalid);
  const view = viewOf(guestBytes(task.memory, address, number * 16));
  return Array.from({ length: number }, (_, index) => ({
    address: view.getBigUint64(index * 16, true),
    length: size(view.getBigUint64(index * 16 + 8, true)),
  }));
}

export function scatter(task: Task, buffers: readonly Buffer[], bytes: Uint8Array): void {
  let at = 0;
  for (const { address, length } of buffers) {
    const part = bytes.subarray(at, at + length);
    if (part.length === 0) break;
    const offset = task.memory.resolve(address, { length: part.length, permission: 2 });
    task.memory.bytesAt(offset, part.length).set(part);
    at += part.length;
  }
}

export function gather(task: Task, buffers: readonly Buffer[]): Uint8Array {
  const [first] = buffers;
  if (first !== undefined && buffers.length === 1) {
    return guestBytes(task.memory, first.address, first.length);
  }
  const total = buffers.reduce((sum, { length }) => sum + length, 0);
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const { address, length } of buffers) {
    bytes.set(guestBytes(task.memory, address, length), at);
    at += length;
  }
  return bytes;
}

/** Room that faults is found before bytes are taken that would be lost. */
function readBuffers(task: Task, file: OpenFile, buffers: readonly Buffer[]): number | Wait {
  for (const { address, length } of buffers) {
    if (length > 0) task.memory.resolve(address, { length, permission: 2 });
  }
  const total = buffers.reduce((sum, { length }) => sum + length, 0);
  const bytes = readFile(task, file, total);
  if (bytes instanceof Wait) return bytes;
  scatter(task, buffers, bytes);
  return bytes.length;
}

/** At another place than the file's own. */
function atOffset<T>(file: OpenFile, offset: bigint, use: () => T): T {
  const position = Number(BigInt.asIntN(64, offset));
  if (file.position === undefined) throw new LinuxError(errno.illegalSeek);
  if (position < 0) throw new LinuxError(errno.invalid);
  const { position: before, flags } = file;
  file.position = position;
  file.flags &= ~openFlags.append;
  try {
    return use();
  } finally {
    file.position = before;
    file.flags = flags;
  }
}

const lseek: SystemCall = (task, [number, offset, whence]) => {
  const file = fileOf(task, number);
  if (file.position === undefined) throw new LinuxError(errno.illegalSeek);
  const end = file.inode.kind === 'file' ? file.inode.content.size : 0;
  const by = Number(BigInt.asIntN(64, offset));
  let position: number;
  switch (unsigned(whence)) {
    case seek.set:
      position = by;
      break;
    case seek.current:
      position = file.position + by;
      break;
    case seek.end:
      position = end + by;
      break;
    // No file has holes here, but the one at its end.
    case seek.data:
    case seek.hole:
      if (by < 0 || by >= end) throw new LinuxError(errno.noDevice);
      position = unsigned(whence) === seek.data ? by : end;
      break;
    default:
      throw new LinuxError(errno.invalid);
  }
  if (position < 0) throw new LinuxError(errno.invalid);
  file.position = position;
  return position;
};

/** From one file to the other, from a place of its own where there is a pointer to it. */
function copy(
  task: Task,
  from: { readonly file: OpenFile; readonly offset: bigint },
  to: { readonly file: OpenFile; readonly offset: bigint },
  most: number,
): number | Wait {
  const place = (pointer: bigint): DataView => viewOf(guestBytes(task.memory, pointer, 8));
  const source = from.file;
  const state = memo(task, () => ({ bytes: undefined as Uint8Array | undefined }));
  if (state.bytes === undefined) {
    const read = (): Uint8Array | Wait => readFile(task, source, Math.min(most, 65_536));
    const bytes =
      from.offset === 0n ? read() : atOffset(source, place(from.offset).getBigInt64(0, true), read);
    if (bytes instanceof Wait) return bytes;
    state.bytes = bytes.slice();
  }
  const { bytes } = state;
  const write = (): number | Wait => writeFile(task, to.file, bytes);
  const written =
    to.offset === 0n ? write() : atOffset(to.file, place(to.offset).getBigInt64(0, true), write);
  if (written instanceof Wait) return written;
  for (const pointer of [from.offset, to.offset]) {
    if (pointer === 0n) continue;
    const view = viewOf(
      task.memory.bytesAt(task.memory.resolve(pointer, { length: 8, permission: 2 }), 8),
    );
    view.setBigInt64(0, view.getBigInt64(0, true) + BigInt(written), true);
  }
  return written;
}

function fileToWrite(task: Task, number: bigint): OpenFile {
  const file = fileOf(task, number);
  if ((file.flags & openFlags.accessMode) === 0) throw new LinuxError(errno.badDescriptor);
  return file;
}

/** System calls on what files have in them, by their names in Linux. */
export const fileCalls: SystemCalls = {
  openat: (task, [folder, path, flags, mode]) =>
    open(task, {
      folder,
      path: guestString(task.memory, path),
      flags: unsigned(flags),
      mode: unsigned(mode),
    }),
  openat2: (task, [folder, path, how]) => {
    const view = viewOf(guestBytes(task.memory, how, 24));
    // RESOLVE_… restrict paths in ways that are not known here.
    if (view.getBigUint64(16, true) !== 0n) throw new LinuxError(errno.invalid);
    return open(task, {
      folder,
      path: guestString(task.memory, path),
      flags: Number(view.getBigUint64(0, true)),
      mode: Number(view.getBigUint64(8, true)),
    });
  },
  read: (task, [number, address, length]) =>
    readBuffers(task, fileOf(task, number), [{ address, length: size(length) }]),
  write: (task, [number, address, length]) => {
    const file = fileOf(task, number);
    return writeFile(task, file, guestBytes(task.memory, address, size(length)));
  },
  readv: (task, [number, address, count]) =>
    readBuffers(task, fileOf(task, number), readVector(task, address, count)),
  writev: (task, [number, address, count]) =>
    writeFile(task, fileOf(task, number), gather(task, readVector(task, address, count))),
  pread64: (task, [number, address, length, offset]) => {
    const file = fileOf(task, number);
    return atOffset(file, offset, () =>
      readBuffers(task, file, [{ address, length: size(length) }]),
    );
  },
  pwrite64: (task, [number, address, length, offset]) => {
    const file = fileOf(task, number);
    const bytes = guestBytes(task.memory, address, size(length));
    return atOffset(file, offset, () => writeFile(task, file, bytes));
  },
  preadv: (task, [number, address, count, offset]) => {
    const file = fileOf(task, number);
    return atOffset(file, offset, () => readBuffers(task, file, readVector(task, address, count)));
  },
  pwritev: (task, [number, address, count, offset]) => {
    const file = fileOf(task, number);
    return atOffset(file, offset, () =>
      writeFile(task, file, gather(task, readVector(task, address, count))),
    );
  },
  preadv2: (task, args) => {
    const call = BigInt.asIntN(64, args[3]) === -1n ? fileCalls['readv'] : fileCalls['preadv'];
    return call?.(task, args);
  },
  pwritev2: (task, args) => {
    const call = BigInt.asIntN(64, args[3]) === -1n ? fileCalls['writev'] : fileCalls['pwritev'];
    return call?.(task, args);
  },
  lseek,
  sendfile: (task, [out, from, offset, most]) =>
    copy(
      task,
      { file: fileOf(task, from), offset },
      { file: fileToWrite(task, out), offset: 0n },
      size(most),
    ),
  copy_file_range: (task, [from, fromOffset, to, toOffset, most]) => {
    const source = fileOf(task, from);
    const target = fileToWrite(task, to);
    if (source.kind !== 'regular' || target.kind !== 'regular') throw new LinuxError(errno.invalid);
    return copy(
      task,
      { file: source, offset: fromOffset },
      { file: target, offset: toOffset },
      size(most),
    );
  },
  splice: (task, [from, fromOffset, to, toOffset, most]) => {
    const source = fileOf(task, from);
    const target = fileToWrite(task, to);
    if (source.kind !== 'pipe' && target.kind !== 'pipe') throw new LinuxError(errno.invalid);
    return copy(
      task,
      { file: source, offset: fromOffset },
      { file: target, offset: toOffset },
      size(most),
    );
  },
  ftruncate: (task, [number, length]) => {
    const file = fileToWrite(task, number);
    if (file.kind !== 'regular') throw new LinuxError(errno.invalid);
    resizeFile(file.inode, lengthOf(length));
    return 0;
  },
  truncate: (task, [path, length]) => {
    const inode = inodeAt(task, { folder: -100n, path }, { followLast: true });
    requireAccess(inode, task.process.credentials, 2);
    resizeFile(inode, lengthOf(length));
    return 0;
  },
  fallocate: (task, [number, mode, offset, length]) => {
    const file = fileToWrite(task, number);
    const { inode } = file;
    if (inode.kind !== 'file') throw new LinuxError(errno.noDevice);
    // FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, …: only plain growing is done here.
    if (unsigned(mode) !== 0) throw new LinuxError(errno.notSupported);
    const end = lengthOf(offset) + lengthOf(length);
    if (end > inode.content.size) resizeFile(inode, end);
    return 0;
  },
  fsync: (task, [number]) => {
    fileOf(task, number);
    return 0;
  },
  fdatasync: (task, [number]) => {
    fileOf(task, number);
    return 0;
  },
  sync_file_range: () => 0,
  sync: () => 0,
  fadvise64: (task, [number]) => {
    if (fileOf(task, number).kind === 'pipe') throw new LinuxError(errno.illegalSeek);
    return 0;
  },
  readahead: () => 0,
};

function lengthOf(value: bigint): number {
  const length = Number(BigInt.asIntN(64, value));
  if (length < 0) throw new LinuxError(errno.invalid);
  return length;
}
