import { errno, LinuxError } from '../errno.ts';
import { WaitQueue } from '../kernel/wait-queue.ts';
import type { DirectoryInode, FileInode, Inode } from './inode.ts';
import { type OpenFile, openFlags, pollEvents } from './open-file.ts';
import { freeUnused } from './tree-operations.ts';

export function openRegular(
  inode: FileInode,
  how: { readonly flags: number; readonly path: string },
): OpenFile {
  inode.opens++;
  const file = {
    kind: 'regular' as const,
    inode,
    flags: how.flags,
    path: how.path,
    changed: new WaitQueue(),
    references: 0,
    position: 0,
    read(_: unknown, most: number): Uint8Array {
      const bytes = inode.content.read(file.position, most);
      file.position += bytes.length;
      // As mounts are by default (relatime).
      if (inode.accessedMs <= inode.modifiedMs) inode.accessedMs = inode.system.now();
      return bytes;
    },
    write(_: unknown, bytes: Uint8Array): number {
      if ((file.flags & openFlags.append) !== 0) file.position = inode.content.size;
      if (bytes.length === 0) return 0;
      inode.content.write(file.position, bytes);
      file.position += bytes.length;
      wasModified(inode);
      return bytes.length;
    },
    poll: () => pollEvents.in | pollEvents.out,
    close(): void {
      inode.opens--;
      freeUnused(inode);
    },
  };
  return file;
}

export function wasModified(inode: FileInode): void {
  inode.modifiedMs = inode.changedMs = inode.system.now();
  // Who writes without being the superuser's equal loses these; all here write as themselves.
  inode.mode &= ~0o6000 | (inode.uid === 0 ? 0o6000 : 0);
}

export function resizeFile(inode: Inode, size: number): void {
  if (inode.kind === 'directory') throw new LinuxError(errno.isDirectory);
  if (inode.kind !== 'file') throw new LinuxError(errno.invalid);
  if (inode.system.readOnly) throw new LinuxError(errno.readOnly);
  inode.content.resize(size);
  wasModified(inode);
}

/** A directory that is read: what it had when reading began. */
export interface DirectoryFile extends OpenFile {
  readonly kind: 'directory';
  readonly inode: DirectoryInode;
  position: number;
  listing: readonly (readonly [string, Inode])[] | undefined;
}

export function openDirectory(
  inode: DirectoryInode,
  how: { readonly flags: number; readonly path: string },
): DirectoryFile {
  return {
    kind: 'directory',
    inode,
    flags: how.flags,
    path: how.path,
    changed: new WaitQueue(),
    references: 0,
    position: 0,
    listing: undefined,
    read: () => {
      throw new LinuxError(errno.isDirectory);
    },
    poll: () => pollEvents.in | pollEvents.out,
  };
}

export function isDirectoryFile(file: OpenFile): file is DirectoryFile {
  return file.kind === 'directory';
}
