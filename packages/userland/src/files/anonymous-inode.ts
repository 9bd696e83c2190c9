import { inodeBase } from './create-inode.ts';
import type { FileSystem, SpecialInode } from './inode.ts';

/** The inode of what has no name: pipes, sockets, events. */
export function anonymousInode(system: FileSystem, kind: SpecialInode['kind']): SpecialInode {
  return { ...inodeBase(system, { mode: 0o600, uid: 0, gid: 0 }), kind, special: 0 };
}
