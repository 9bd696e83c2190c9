import { TaplineError } from '@tapline/base';
import { byteString } from '../byte-string.ts';
import type { LayerDirectory, LayerNode } from './layer.ts';

export type MemoryEntry =
  | { readonly bytes: Uint8Array; readonly executable?: boolean }
  | { readonly link: string }
  | { readonly directory: true; readonly mode?: number };

interface Folder {
  readonly mode: number;
  readonly entries: Map<string, LayerNode | Folder>;
}

/** A layer of files by their paths; directories above them are there, too. All have one time. */
export function createMemoryFileSystem(
  files: Readonly<Record<string, MemoryEntry>>,
  how: { readonly modifiedMs: number },
): LayerDirectory {
  const base = { uid: 0, gid: 0, modifiedMs: how.modifiedMs };
  const root: Folder = { mode: 0o755, entries: new Map() };
  const folderAt = (path: string, mode = 0o755): Folder => {
    let at = root;
    for (const name of path.split('/').filter((part) => part !== '')) {
      const found = at.entries.get(byteString(name));
      if (found !== undefined && 'kind' in found) {
        throw new TaplineError('not_a_directory', `${path} goes through ${name}, a ${found.kind}`);
      }
      const next = found ?? { mode, entries: new Map() };
      at.entries.set(byteString(name), next);
      at = next;
    }
    return at;
  };
  for (const [path, entry] of Object.entries(files)) {
    if ('directory' in entry) {
      folderAt(path, entry.mode);
      continue;
    }
    const slash = path.lastIndexOf('/');
    const parent = folderAt(path.slice(0, Math.max(slash, 0)));
    const node: LayerNode =
      'link' in entry
        ? { ...base, kind: 'link', mode: 0o777, target: byteString(entry.link) }
        : {
            ...base,
            kind: 'file',
            mode: entry.executable === true ? 0o755 : 0o644,
            size: entry.bytes.length,
            load: () => entry.bytes,
          };
    parent.entries.set(byteString(path.slice(slash + 1)), node);
  }
  const finish = ({ mode, entries }: Folder): LayerDirectory => {
    const nodes = new Map<string, LayerNode>();
    for (const [name, entry] of entries) {
      nodes.set(name, 'kind' in entry ? entry : finish(entry));
    }
    return { ...base, kind: 'directory', mode, list: () => nodes };
  };
  return finish(root);
}
