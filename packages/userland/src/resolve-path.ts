import { errno, LinuxError } from './errno.ts';
import type { FileNode, FileSystem } from './file-node.ts';

/** As Linux has it (MAXSYMLINKS). */
const mostLinks = 40;
const longestPath = 4095;

/** The absolute path without `.`, `..` and doubled slashes, and what is there. */
export interface Resolved {
  readonly path: string;
  readonly node: FileNode;
}

/** Follows a path from `from`, which is absolute; symbolic links too, the last one where asked. */
export function resolvePath(
  files: FileSystem,
  path: string,
  how: { readonly from: string; readonly followLast: boolean },
): Resolved {
  if (path === '') throw new LinuxError(errno.noEntry);
  if (path.length > longestPath) throw new LinuxError(errno.nameTooLong);
  const pending = split(path).toReversed();
  const way: Resolved[] = [{ path: '/', node: files.root }];
  const start = path.startsWith('/') ? [] : split(how.from);
  pending.push(...start.toReversed());
  const mustBeDirectory = path.endsWith('/') || path.endsWith('/.');
  let links = 0;
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const here = way.at(-1) ?? { path: '/', node: files.root };
    if (here.node.kind !== 'directory') throw new LinuxError(errno.notDirectory);
    if (name === '..') {
      if (way.length > 1) way.pop();
      continue;
    }
    const node = here.node.entries.get(name);
    if (node === undefined) throw new LinuxError(errno.noEntry);
    if (node.kind === 'link' && (pending.length > 0 || how.followLast || mustBeDirectory)) {
      links++;
      if (links > mostLinks) throw new LinuxError(errno.tooManyLinks);
      if (node.target.startsWith('/')) way.length = 1;
      pending.push(...split(node.target).toReversed());
      continue;
    }
    way.push({ path: here.path === '/' ? `/${name}` : `${here.path}/${name}`, node });
  }
  const found = way.at(-1) ?? { path: '/', node: files.root };
  if (mustBeDirectory && found.node.kind !== 'directory') {
    throw new LinuxError(errno.notDirectory);
  }
  return found;
}

function split(path: string): readonly string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}
