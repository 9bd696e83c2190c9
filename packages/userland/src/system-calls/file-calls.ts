import { errno, LinuxError } from '../errno.ts';
import type { FileNode } from '../file-node.ts';
import { guestBytes, guestRoom, guestString } from '../guest-memory.ts';
import type { GuestProcess, SystemCall } from '../guest-process.ts';
import type { OpenFile } from '../open-file.ts';
import { type Resolved, resolvePath } from '../resolve-path.ts';
import { descriptor } from './descriptor-calls.ts';
import { writeDirectoryEntries } from './directory-entries.ts';
import { writeStat } from './write-stat.ts';

/** AT_FDCWD. */
const currentFolder = -100;
// include/uapi/asm-generic/fcntl.h and arm64's own.
const openFlags = { accessMode: 3, create: 0o100, directory: 0o40000, noFollow: 0o100000 };
const atFlags = { noFollow: 0x100, emptyPath: 0x1000 };
const seek = { set: 0, current: 1, end: 2 } as const;
const sendAtOnce = 65_536;

function resolveAt(
  process: GuestProcess,
  folder: bigint,
  what: { readonly path: string; readonly followLast: boolean },
): Resolved {
  const { path, followLast } = what;
  if (path === '/proc/self/exe' && followLast) {
    return resolvePath(process.files, process.executable, { from: '/', followLast });
  }
  const number = Number(BigInt.asIntN(32, folder));
  if (path.startsWith('/') || number === currentFolder) {
    return resolvePath(process.files, path, { from: process.folder, followLast });
  }
  const base = descriptor(process, folder);
  if (base.kind !== 'node' || base.node.kind !== 'directory') {
    throw new LinuxError(errno.notDirectory);
  }
  return resolvePath(process.files, path, { from: base.path, followLast });
}

function readFrom(file: OpenFile, most: number): Uint8Array {
  if (file.kind === 'input') return file.read(most);
  if (file.kind === 'output') throw new LinuxError(errno.badDescriptor);
  if (file.node.kind === 'directory') throw new LinuxError(errno.isDirectory);
  if (file.node.kind === 'link') throw new LinuxError(errno.invalid);
  const bytes = file.node.bytes.subarray(file.position, file.position + most);
  file.position += bytes.length;
  return bytes;
}

function writeTo(file: OpenFile, bytes: Uint8Array): number {
  if (file.kind !== 'output') throw new LinuxError(errno.badDescriptor);
  // A copy: the guest goes on to use its memory.
  if (bytes.length > 0) file.write(bytes.slice());
  return bytes.length;
}

const openat: SystemCall = (process, [folder, path, flagBits]) => {
  const flags = Number(flagBits & 0xffffffffn);
  const name = guestString(process.cpu.memory, path);
  const writes = (flags & openFlags.accessMode) !== 0 || (flags & openFlags.create) !== 0;
  const followLast = (flags & openFlags.noFollow) === 0;
  const { path: at, node } = resolveAt(process, folder, { path: name, followLast });
  if (node.kind === 'link') throw new LinuxError(errno.tooManyLinks);
  if (writes) throw new LinuxError(node.kind === 'directory' ? errno.isDirectory : errno.readOnly);
  if ((flags & openFlags.directory) !== 0 && node.kind !== 'directory') {
    throw new LinuxError(errno.notDirectory);
  }
  const number = process.descriptors.add({ kind: 'node', path: at, node, position: 0 });
  if (number === undefined) throw new LinuxError(errno.tooManyFiles);
  return number;
};

const newfstatat: SystemCall = (process, [folder, path, buffer, flagBits]) => {
  const { memory } = process.cpu;
  const flags = Number(flagBits & 0xffffffffn);
  const name = guestString(memory, path);
  const room = guestRoom(memory, buffer, 128);
  if (name === '' && (flags & atFlags.emptyPath) !== 0) {
    writeStat(room, descriptor(process, folder));
    return 0;
  }
  const followLast = (flags & atFlags.noFollow) === 0;
  const { node } = resolveAt(process, folder, { path: name, followLast });
  writeStat(room, { kind: 'node', path: name, node, position: 0 });
  return 0;
};

const readlinkat: SystemCall = (process, [folder, path, buffer, size]) => {
  const { memory } = process.cpu;
  if (BigInt.asIntN(32, size) <= 0n) throw new LinuxError(errno.invalid);
  const name = guestString(memory, path);
  const target =
    name === '/proc/self/exe'
      ? process.executable
      : linkTarget(resolveAt(process, folder, { path: name, followLast: false }).node);
  const bytes = new TextEncoder().encode(target).subarray(0, Number(BigInt.asIntN(32, size)));
  guestRoom(memory, buffer, bytes.length).set(bytes);
  return bytes.length;
};

function linkTarget(node: FileNode): string {
  if (node.kind !== 'link') throw new LinuxError(errno.invalid);
  return node.target;
}

const lseek: SystemCall = (process, [number, offset, whence]) => {
  const file = descriptor(process, number);
  if (file.kind !== 'node') throw new LinuxError(errno.illegalSeek);
  const size = file.node.kind === 'file' ? file.node.bytes.length : 0;
  const starts: Readonly<Record<number, number>> = {
    [seek.set]: 0,
    [seek.current]: file.position,
    [seek.end]: size,
  };
  const start = starts[Number(whence & 0xffffffffn)];
  const position = (start ?? 0) + Number(BigInt.asIntN(64, offset));
  if (start === undefined || position < 0) throw new LinuxError(errno.invalid);
  file.position = position;
  return position;
};

/** One buffer after the other, as struct iovec says. */
function eachBuffer(
  process: GuestProcess,
  vector: { readonly address: bigint; readonly count: bigint },
  use: (address: bigint, length: number) => number,
): number {
  if (vector.count > 1024n) throw new LinuxError(errno.invalid);
  let total = 0;
  for (let index = 0n; index < vector.count; index++) {
    const bytes = guestBytes(process.cpu.memory, vector.address + index * 16n, 16);
    const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
    const length = Number(view.getBigUint64(8, true));
    const done = use(view.getBigUint64(0, true), length);
    total += done;
    if (done < length) break;
  }
  return total;
}

function readInto(process: GuestProcess, file: OpenFile, address: bigint, length: number): number {
  // All of the room is looked at first: bytes that were read must not be lost by a fault.
  const room = guestRoom(process.cpu.memory, address, Math.min(length, 0x7ffff000));
  const bytes = readFrom(file, room.length);
  room.set(bytes);
  return bytes.length;
}

/** System calls on files, by their names in Linux. */
export const fileCalls: Readonly<Record<string, SystemCall>> = {
  openat,
  newfstatat,
  readlinkat,
  lseek,
  read: (process, [number, buffer, size]) =>
    readInto(process, descriptor(process, number), buffer, Number(size)),
  readv: (process, [number, address, count]) => {
    const file = descriptor(process, number);
    return eachBuffer(process, { address, count }, (at, length) =>
      readInto(process, file, at, length),
    );
  },
  write: (process, [number, buffer, size]) => {
    const file = descriptor(process, number);
    return writeTo(file, guestBytes(process.cpu.memory, buffer, Number(size)));
  },
  writev: (process, [number, address, count]) => {
    const file = descriptor(process, number);
    return eachBuffer(process, { address, count }, (at, length) =>
      writeTo(file, guestBytes(process.cpu.memory, at, length)),
    );
  },
  sendfile: (process, [out, from, offset, size]) => {
    if (offset !== 0n) throw new LinuxError(errno.invalid);
    const to = descriptor(process, out);
    const most = size < BigInt(sendAtOnce) ? Number(size) : sendAtOnce;
    return writeTo(to, readFrom(descriptor(process, from), most));
  },
  fstat: (process, [number, buffer]) => {
    writeStat(guestRoom(process.cpu.memory, buffer, 128), descriptor(process, number));
    return 0;
  },
  getdents64: (process, [number, buffer, size]) => {
    const file = descriptor(process, number);
    if (file.kind !== 'node' || file.node.kind !== 'directory') {
      throw new LinuxError(errno.notDirectory);
    }
    const room = guestRoom(process.cpu.memory, buffer, Number(BigInt.asUintN(32, size)));
    return writeDirectoryEntries(room, file);
  },
  faccessat: (process, [folder, path, mode]) => {
    const name = guestString(process.cpu.memory, path);
    const { node } = resolveAt(process, folder, { path: name, followLast: true });
    const wanted = Number(mode & 7n);
    if ((wanted & 2) !== 0) throw new LinuxError(errno.readOnly);
    if ((wanted & 1) !== 0 && (node.mode & 0o111) === 0) throw new LinuxError(errno.access);
    return 0;
  },
  getcwd: (process, [buffer, size]) => {
    const bytes = new TextEncoder().encode(`${process.folder}\0`);
    if (BigInt(bytes.length) > size) throw new LinuxError(errno.range);
    guestRoom(process.cpu.memory, buffer, bytes.length).set(bytes);
    return bytes.length;
  },
  // No descriptor is a terminal yet.
  ioctl: (process, [number]) => {
    descriptor(process, number);
    throw new LinuxError(errno.notTerminal);
  },
};
