import { errno, LinuxError } from '../errno.ts';
import { type OpenFile, openFlags } from '../files/open-file.ts';
import { resizeFile } from '../files/regular-file.ts';
import type { Task } from '../kernel/task.ts';
import { Wait } from '../kernel/wait-queue.ts';
import { guestBytes, guestString, viewOf } from '../memory/guest-memory.ts';
import { fileOf, memo, size, unsigned } from './arguments.ts';
import { inodeAt } from './paths.ts';
import { gather, type GuestBuffer, readVector, scatter } from './guest-buffers.ts';
import { openAt } from './open-at.ts';
import { readFile, writeFile } from './read-and-write.ts';
import type { SystemCall, SystemCalls } from './system-call.ts';
import { requireAccess } from '../files/access.ts';

const seek = { set: 0, current: 1, end: 2, data: 3, hole: 4 } as const;

/** Room that faults is found before bytes are taken that would be lost. */
function readBuffers(task: Task, file: OpenFile, buffers: readonly GuestBuffer[]): number | Wait {
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
    openAt(task, {
      folder,
      path: guestString(task.memory, path),
      flags: unsigned(flags),
      mode: unsigned(mode),
    }),
  openat2: (task, [folder, path, how]) => {
    const view = viewOf(guestBytes(task.memory, how, 24));
    // RESOLVE_… restrict paths in ways that are not known here.
    if (view.getBigUint64(16, true) !== 0n) throw new LinuxError(errno.invalid);
    return openAt(task, {
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
