import { errno, LinuxError } from '../errno.ts';
import type { Inode } from './inode.ts';

/** Who asks. */
export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** Whether what is asked for (4 read, 2 write, 1 execute or search) is allowed by the mode. */
export function mayAccess(
  inode: Inode,
  { uid, gid, groups }: Credentials,
  wanted: number,
): boolean {
  if (uid === 0) {
    // The superuser may do all, but run only what somebody may run.
    return (wanted & 1) === 0 || inode.kind === 'directory' || (inode.mode & 0o111) !== 0;
  }
  const shift = inode.uid === uid ? 6 : inode.gid === gid || groups.includes(inode.gid) ? 3 : 0;
  return ((inode.mode >> shift) & wanted) === wanted;
}

export function requireAccess(inode: Inode, credentials: Credentials, wanted: number): void {
  if (!mayAccess(inode, credentials, wanted)) throw new LinuxError(errno.access);
}

/** Only its owner and the superuser may change what an inode says of itself. */
export function requireOwner(inode: Inode, { uid }: Credentials): void {
  if (uid !== 0 && inode.uid !== uid) throw new LinuxError(errno.notPermitted);
}
