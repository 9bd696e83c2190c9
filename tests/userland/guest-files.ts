import type { GuestCaller } from '../../packages/userland/src/testing/call-guest.ts';
import type { FileOperation } from './file-operations.ts';

const here = -100;
const noFollow = 0x100;
const removeDirectory = 0x200;
const directoryType = 0o040000;

function inWork(path: string): string {
  return `/work/${path}`;
}

/** The same by system calls of a guest. */
export function onGuest(guest: GuestCaller, operation: FileOperation): string | number {
  switch (operation.kind) {
    case 'mkdir':
      return said(guest.call('mkdirat', here, inWork(operation.path), 0o750));
    case 'rmdir':
      return said(guest.call('unlinkat', here, inWork(operation.path), removeDirectory));
    case 'unlink':
      return said(guest.call('unlinkat', here, inWork(operation.path), 0));
    case 'stat':
      return about(guest, guest.call('newfstatat', here, inWork(operation.path), guest.room, 0));
    case 'lstat':
      return about(
        guest,
        guest.call('newfstatat', here, inWork(operation.path), guest.room, noFollow),
      );
    case 'readlink': {
      const length = guest.call('readlinkat', here, inWork(operation.path), guest.room, 4096);
      return length < 0 ? length : text(guest, length);
    }
    case 'list':
      return opened(guest, inWork(operation.path), 0o40000, (file) => list(guest, file));
    case 'write':
      return opened(guest, inWork(operation.path), guestFlags(operation.flags), (file) => {
        const bytes = new TextEncoder().encode(operation.text);
        guest.roomBytes.set(bytes);
        const written = guest.call('write', file, guest.room, bytes.length);
        return written < 0 ? written : about(guest, guest.call('fstat', file, guest.room));
      });
    case 'read':
      return opened(guest, inWork(operation.path), 0, (file) => {
        const length = guest.call('read', file, guest.room, 4096);
        return length < 0 ? length : text(guest, length);
      });
    case 'truncate':
      // Node opens the file to make it shorter.
      return opened(guest, inWork(operation.path), 2, (file) =>
        said(guest.call('ftruncate', file, operation.size)),
      );
    case 'chmod':
      return said(guest.call('fchmodat', here, inWork(operation.path), operation.mode));
    case 'rename':
      return said(guest.call('renameat', here, inWork(operation.from), here, inWork(operation.to)));
    case 'link':
      return said(
        guest.call('linkat', here, inWork(operation.from), here, inWork(operation.to), 0),
      );
    case 'symlink':
      return said(guest.call('symlinkat', operation.target, here, inWork(operation.path)));
  }
}

/** O_DIRECTORY and O_NOFOLLOW have other numbers on arm64. */
function guestFlags(flags: number): number {
  const rest = flags & ~0o600000;
  return (
    rest | ((flags & 0o200000) === 0 ? 0 : 0o40000) | ((flags & 0o400000) === 0 ? 0 : 0o100000)
  );
}

function said(result: number): string | number {
  return result < 0 ? result : '';
}

function opened(
  guest: GuestCaller,
  path: string,
  flags: number,
  use: (file: number) => string | number,
): string | number {
  const file = guest.call('openat', here, path, flags, 0o640);
  if (file < 0) return file;
  const result = use(file);
  guest.call('close', file);
  return result;
}

function text(guest: GuestCaller, length: number): string {
  return Buffer.from(guest.roomBytes.subarray(0, length)).toString('latin1');
}

function about(guest: GuestCaller, result: number): string | number {
  if (result < 0) return result;
  const view = new DataView(guest.roomBytes.buffer, guest.roomBytes.byteOffset, 128);
  const mode = view.getUint32(16, true);
  const size = (mode & 0o170000) === directoryType ? 0 : Number(view.getBigInt64(48, true));
  return `${mode.toString(8)} ${view.getUint32(20, true)} ${size}`;
}

function list(guest: GuestCaller, file: number): string | number {
  const names: string[] = [];
  for (;;) {
    const length = guest.call('getdents64', file, guest.room, 4096);
    if (length < 0) return length;
    if (length === 0) break;
    const view = new DataView(guest.roomBytes.buffer, guest.roomBytes.byteOffset, length);
    for (let at = 0; at < length; at += view.getUint16(at + 16, true)) {
      const name = guest.roomBytes.subarray(at + 19, guest.roomBytes.indexOf(0, at + 19));
      names.push(Buffer.from(name).toString('latin1'));
    }
  }
  return names
    .filter((name) => name !== '.' && name !== '..')
    .toSorted()
    .join(' ');
}
