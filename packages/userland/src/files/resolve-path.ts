import { errno, LinuxError } from '../errno.ts';
import { type Credentials, requireAccess } from './access.ts';
import type { DirectoryInode, Inode, Viewer } from './inode.ts';

/** As Linux has it (MAXSYMLINKS, PATH_MAX, NAME_MAX). */
const mostLinks = 40;
const longestPath = 4095;
const longestName = 255;

/** Where a path is followed from, and by whom. */
export interface PathContext {
  readonly root: DirectoryInode;
  readonly from: DirectoryInode;
  readonly credentials: Credentials;
  readonly viewer: Viewer;
}

/** Where a path leads. Its last name may be of nothing yet. */
export interface Place {
  readonly parent: DirectoryInode;
  /** In the parent. Empty for a root, and for what a link of /proc leads to; `.` and `..` as they are. */
  readonly name: string;
  readonly inode: Inode | undefined;
  /** The path ended with a slash, so that only a directory will do. */
  readonly slash: boolean;
}

export interface Following {
  readonly followLast: boolean;
  /**
   * It is the name that matters and not what it is of, as for what makes, moves and removes names: a
   * slash at the end neither follows a link nor asks for a folder.
   */
  readonly nameOnly?: boolean;
}

/** Follows a path; symbolic links too, the last one where asked. */
export function findPlace(context: PathContext, path: string, how: Following): Place {
  if (path === '') throw new LinuxError(errno.noEntry);
  if (path.length > longestPath) throw new LinuxError(errno.nameTooLong);
  const { root, credentials, viewer } = context;
  const pending = split(path).toReversed();
  let slash = endsWithSlash(path);
  let parent = path.startsWith('/') ? root : context.from;
  let inode: Inode | undefined = parent;
  let last = '';
  let links = 0;
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (inode === undefined) throw new LinuxError(errno.noEntry);
    if (inode.kind !== 'directory') throw new LinuxError(errno.notDirectory);
    requireAccess(inode, credentials, 1);
    if (name.length > longestName) throw new LinuxError(errno.nameTooLong);
    const here: DirectoryInode = inode;
    const found = step(here, name, root);
    const isLast = pending.length === 0;
    const follows = !isLast || how.followLast || (slash && how.nameOnly !== true);
    if (found?.kind === 'link' && follows) {
      links++;
      if (links > mostLinks) throw new LinuxError(errno.tooManyLinks);
      const jumped = found.jump?.(viewer);
      if (jumped !== undefined) {
        parent = here;
        inode = jumped;
        last = '';
        continue;
      }
      const target = found.target(viewer);
      if (target === '') throw new LinuxError(errno.noEntry);
      if (isLast) slash ||= endsWithSlash(target);
      inode = target.startsWith('/') ? root : here;
      if (target.startsWith('/')) last = '';
      pending.push(...split(target).toReversed());
      parent = inode.kind === 'directory' ? inode : parent;
      continue;
    }
    parent = here;
    inode = found;
    last = name;
  }
  const mustBeDirectory = slash && how.nameOnly !== true;
  if (mustBeDirectory && inode !== undefined && inode.kind !== 'directory') {
    throw new LinuxError(errno.notDirectory);
  }
  return { parent, name: last, inode, slash };
}

/** What is there already. */
export function resolvePath(context: PathContext, path: string, how: Following): Inode {
  const { inode } = findPlace(context, path, how);
  if (inode === undefined) throw new LinuxError(errno.noEntry);
  return inode;
}

/** The absolute path of a directory; undefined where it is gone or outside of the root. */
export function pathOf(directory: DirectoryInode, root: DirectoryInode): string | undefined {
  const names: string[] = [];
  let at = directory;
  while (at !== root) {
    const { parent } = at;
    if (parent === undefined || parent === at || at.removed === true) return undefined;
    names.push(at.name);
    at = parent;
  }
  return `/${names.toReversed().join('/')}`;
}

/** The path of a name in a directory, for people and for /proc. */
export function pathInside(directory: DirectoryInode, name: string, root: DirectoryInode): string {
  const path = pathOf(directory, root) ?? '(unreachable)';
  if (name === '' || name === '.') return path;
  return path === '/' ? `/${name}` : `${path}/${name}`;
}

function step(here: DirectoryInode, name: string, root: DirectoryInode): Inode | undefined {
  if (name === '.') return here;
  if (name === '..') return here === root ? here : (here.parent ?? here);
  const found = here.entries.get(name);
  return found?.kind === 'directory' ? (found.mounted ?? found) : found;
}

/** `.` keeps its place as a last name, which some system calls refuse. */
function split(path: string): readonly string[] {
  const names = path.split('/').filter((name) => name !== '');
  return names.filter((name, index) => name !== '.' || index === names.length - 1);
}

function endsWithSlash(path: string): boolean {
  return path.endsWith('/');
}
