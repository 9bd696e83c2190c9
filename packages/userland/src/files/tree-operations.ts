import { errno, LinuxError } from '../errno.ts';
import { type Credentials, requireAccess } from './access.ts';
import type { DirectoryInode, Inode } from './inode.ts';
import type { Place } from './resolve-path.ts';

/** What a file without bytes costs the host, about: without it guests would have as many as they like. */
const nameCost = 1024;

/** Counts a name that is new against what guests may write. */
function takeName(inode: Inode): void {
  inode.system.storage.take(nameCost);
  inode.names = (inode.names ?? 0) + 1;
}

/** Names that layers have were never counted. */
function giveName(inode: Inode): void {
  if (inode.names === undefined || inode.names === 0) return;
  inode.names--;
  inode.system.storage.give(nameCost);
}

/** Puts a new name for an inode into a directory. */
export function addEntry(place: Place, inode: Inode, credentials: Credentials): void {
  const { parent, name } = place;
  requireChange(parent, credentials);
  takeName(inode);
  parent.entries.set?.(name, inode);
  if (inode.kind === 'directory') {
    parent.links++;
    inode.parent = parent;
    inode.name = name;
  }
  touch(parent);
}

/** A place for a new inode: there is none yet, and the name can be one. */
export function requireFree(place: Place, what: 'directory' | 'other'): void {
  const { inode, slash, name, parent } = place;
  if (inode !== undefined || name === '' || name === '.' || name === '..') {
    throw new LinuxError(errno.exists);
  }
  if (slash && what === 'other') throw new LinuxError(errno.noEntry);
  if (parent.removed === true) throw new LinuxError(errno.noEntry);
}

export function unlink(place: Place, credentials: Credentials): void {
  const { parent, inode, name } = place;
  if (name === '.' || name === '..' || name === '') throw new LinuxError(errno.isDirectory);
  if (inode === undefined) throw new LinuxError(errno.noEntry);
  requireChange(parent, credentials, inode);
  if (inode.kind === 'directory') throw new LinuxError(errno.isDirectory);
  if (place.slash) throw new LinuxError(errno.notDirectory);
  parent.entries.delete?.(name);
  touch(parent);
  dropLink(inode);
}

export function removeDirectory(place: Place, credentials: Credentials): void {
  const { parent, inode, name } = place;
  if (name === '.') throw new LinuxError(errno.invalid);
  if (name === '..') throw new LinuxError(errno.notEmpty);
  if (name === '') throw new LinuxError(errno.busy);
  if (inode === undefined) throw new LinuxError(errno.noEntry);
  requireChange(parent, credentials, inode);
  if (inode.kind !== 'directory') throw new LinuxError(errno.notDirectory);
  if (isMountPoint(place)) throw new LinuxError(errno.busy);
  if (!isEmpty(inode)) throw new LinuxError(errno.notEmpty);
  parent.entries.delete?.(name);
  parent.links--;
  inode.links = 0;
  inode.removed = true;
  giveName(inode);
  touch(parent);
}

export function makeHardLink(from: Inode, to: Place, credentials: Credentials): void {
  requireFree(to, 'other');
  if (from.system !== to.parent.system) throw new LinuxError(errno.crossDevice);
  requireChange(to.parent, credentials);
  if (from.kind === 'directory') throw new LinuxError(errno.notPermitted);
  takeName(from);
  to.parent.entries.set?.(to.name, from);
  from.links++;
  from.changedMs = from.system.now();
  touch(to.parent);
}

function isSpecial(name: string): boolean {
  return name === '' || name === '.' || name === '..';
}

/** Linux's rename, with RENAME_NOREPLACE and RENAME_EXCHANGE. */
export function rename(
  from: Place,
  to: Place,
  how: { readonly credentials: Credentials; readonly mode: 'replace' | 'new' | 'exchange' },
): void {
  const { credentials, mode } = how;
  if (isSpecial(from.name) || isSpecial(to.name)) throw new LinuxError(errno.busy);
  const moved = from.inode;
  if (moved === undefined) throw new LinuxError(errno.noEntry);
  const target = to.inode;
  if (target === undefined && mode === 'exchange') throw new LinuxError(errno.noEntry);
  if (target !== undefined && mode === 'new') throw new LinuxError(errno.exists);
  if (moved.kind === 'directory' && isWithin(to.parent, moved)) throw new LinuxError(errno.invalid);
  if (target?.kind === 'directory' && isWithin(from.parent, target)) {
    throw new LinuxError(mode === 'exchange' ? errno.invalid : errno.notEmpty);
  }
  if (from.parent.system !== to.parent.system) throw new LinuxError(errno.crossDevice);
  const slash = from.slash || to.slash;
  if (slash && moved.kind !== 'directory') throw new LinuxError(errno.notDirectory);
  if (isMountPoint(from) || (target !== undefined && isMountPoint(to))) {
    throw new LinuxError(errno.busy);
  }
  requireChange(from.parent, credentials, moved);
  requireChange(to.parent, credentials, target);
  if (target === moved) return;
  if (mode === 'exchange' && target !== undefined) {
    from.parent.entries.set?.(from.name, target);
    to.parent.entries.set?.(to.name, moved);
    settle(target, { from: to, to: from });
    settle(moved, { from, to });
  } else {
    if (target !== undefined) replace(moved, target, to.parent);
    from.parent.entries.delete?.(from.name);
    to.parent.entries.set?.(to.name, moved);
    settle(moved, { from, to });
  }
  touch(from.parent);
  touch(to.parent);
}

function replace(moved: Inode, target: Inode, parent: DirectoryInode): void {
  if (target.kind === 'directory') {
    if (moved.kind !== 'directory') throw new LinuxError(errno.isDirectory);
    if (!isEmpty(target)) throw new LinuxError(errno.notEmpty);
    parent.links--;
    target.links = 0;
    target.removed = true;
    giveName(target);
    return;
  }
  if (moved.kind === 'directory') throw new LinuxError(errno.notDirectory);
  dropLink(target);
}

function settle(inode: Inode, { from, to }: { readonly from: Place; readonly to: Place }): void {
  inode.changedMs = inode.system.now();
  if (inode.kind !== 'directory') return;
  from.parent.links--;
  to.parent.links++;
  inode.parent = to.parent;
  inode.name = to.name;
}

/** May names of this directory be changed, this one of a sticky directory among them? */
export function requireChange(
  parent: DirectoryInode,
  credentials: Credentials,
  inode?: Inode,
): void {
  if (parent.system.readOnly) throw new LinuxError(errno.readOnly);
  if (parent.removed === true) throw new LinuxError(errno.noEntry);
  requireAccess(parent, credentials, 3);
  if (parent.entries.set === undefined) throw new LinuxError(errno.notPermitted);
  const { uid } = credentials;
  const sticky = (parent.mode & 0o1000) !== 0;
  if (inode !== undefined && sticky && uid !== 0 && uid !== inode.uid && uid !== parent.uid) {
    throw new LinuxError(errno.notPermitted);
  }
}

/** One name less; without any, and not open, its bytes are given back. */
export function dropLink(inode: Inode): void {
  inode.links--;
  giveName(inode);
  inode.changedMs = inode.system.now();
  freeUnused(inode);
}

export function freeUnused(inode: Inode): void {
  if (inode.kind === 'file' && inode.links <= 0 && inode.opens === 0) inode.content.free();
}

function touch(directory: DirectoryInode): void {
  directory.modifiedMs = directory.changedMs = directory.system.now();
}

function isEmpty(directory: DirectoryInode): boolean {
  for (const _ of directory.entries.list()) return false;
  return true;
}

function isMountPoint({ parent, inode }: Place): boolean {
  return inode?.system !== undefined && inode.system !== parent.system;
}

function isWithin(directory: DirectoryInode, ancestor: DirectoryInode): boolean {
  let at: DirectoryInode | undefined = directory;
  while (at !== undefined) {
    if (at === ancestor) return true;
    at = at.parent === at ? undefined : at.parent;
  }
  return false;
}
