import type { Credentials } from './access.ts';
import { inodeBase } from './create-inode.ts';
import type { FileSystem, SpecialInode } from './inode.ts';

/**
 * The inode of what has no name: pipes, sockets, events. Pipes are opened anew by their names in /proc,
 * by who they belong to.
 */
export function anonymousInode(
  system: FileSystem,
  kind: SpecialInode['kind'],
  { uid, gid }: Pick<Credentials, 'uid' | 'gid'> = { uid: 0, gid: 0 },
): SpecialInode {
  return { ...inodeBase(system, { mode: 0o600, uid, gid }), kind, special: 0 };
}
