import type { Credentials } from './access.ts';
import { inodeBase } from './create-inode.ts';
import type { FileSystem, SpecialInode } from './inode.ts';

/**
 * The inode of what has no name: pipes, sockets, events. Pipes are opened anew by their names in /proc,
 * by who they belong to; `open` is what that gives.
 */
export function anonymousInode(
  system: FileSystem,
  kind: SpecialInode['kind'],
  how: Partial<Pick<Credentials, 'uid' | 'gid'>> & Pick<SpecialInode, 'open'> = {},
): SpecialInode {
  const { uid = 0, gid = 0, open } = how;
  const base = { ...inodeBase(system, { mode: 0o600, uid, gid }), kind, special: 0 };
  return open === undefined ? base : { ...base, open };
}
