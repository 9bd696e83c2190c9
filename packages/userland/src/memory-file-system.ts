import { TaplineError } from '@tapline/base';
import type { FileNode, FileSystem } from './file-node.ts';

export type MemoryEntry =
  | { readonly bytes: Uint8Array; readonly executable?: boolean }
  | { readonly link: string }
  | { readonly directory: true };

interface Directory {
  readonly inode: number;
  readonly entries: Map<string, FileNode | Directory>;
}

/** Files from their paths; directories above them are there, too. All have one time. */
export function createMemoryFileSystem(
  files: Readonly<Record<string, MemoryEntry>>,
  how: { readonly modifiedMs: number },
): FileSystem {
  const { modifiedMs } = how;
  let inode = 1;
  const root: Directory = { inode: inode++, entries: new Map() };
  const directoryAt = (path: string): Directory => {
    let at = root;
    for (const name of path.split('/').filter((part) => part !== '')) {
      const found = at.entries.get(name);
      if (found !== undefined && 'kind' in found) {
        throw new TaplineError('not_a_directory', `${path} goes through ${name}, a ${found.kind}`);
      }
      const next = found ?? { inode: inode++, entries: new Map() };
      at.entries.set(name, next);
      at = next;
    }
    return at;
  };
  for (const [path, entry] of Object.entries(files)) {
    if ('directory' in entry) {
      directoryAt(path);
      continue;
    }
    const slash = path.lastIndexOf('/');
    const parent = directoryAt(path.slice(0, Math.max(slash, 0)));
    const base = { inode: inode++, modifiedMs };
    const node: FileNode =
      'link' in entry
        ? { ...base, kind: 'link', mode: 0o777, target: entry.link }
        : {
            ...base,
            kind: 'file',
            mode: entry.executable === true ? 0o755 : 0o644,
            bytes: entry.bytes,
          };
    parent.entries.set(path.slice(slash + 1), node);
  }
  return { root: finish(root, modifiedMs) };
}

function finish(directory: Directory, modifiedMs: number): FileNode {
  const entries = new Map<string, FileNode>();
  for (const [name, entry] of directory.entries) {
    entries.set(name, 'kind' in entry ? entry : finish(entry, modifiedMs));
  }
  return { kind: 'directory', inode: directory.inode, mode: 0o755, modifiedMs, entries };
}
