import type { TarEntry } from './tar-entry.ts';
import { classifyWhiteout } from './whiteout.ts';

export interface MergedEntry {
  readonly entry: TarEntry;
  /** Which layer it comes from; 0 is the base. */
  readonly layer: number;
}

interface Node extends MergedEntry {
  readonly children: Map<string, Node>;
}

/**
 * The file list of a stack of layers, base first: canonical path → entry, without the root, each
 * directory before what it holds. Paths must be canonical (`assertSafeEntry`).
 *
 * OCI image spec 1.1, layer.md: whiteouts act on lower layers only, wherever in their layer they
 * stand; a directory over a directory keeps the lower one's children; any other pair replaces. As
 * overlayfs, which stacks layers extracted apart, a path never goes through a symlink: a lower
 * symlink where an upper layer has a directory is replaced.
 */
export function applyLayers(
  layers: readonly (readonly TarEntry[])[],
): ReadonlyMap<string, MergedEntry> {
  const root: Node = { entry: impliedDirectory('.'), layer: 0, children: new Map() };
  for (const [layer, entries] of layers.entries()) {
    for (const entry of entries) applyWhiteout(root, entry);
    for (const entry of entries) {
      if (classifyWhiteout(entry.path).kind === 'none') addEntry(root, { entry, layer });
    }
  }
  return flatten(root);
}

function applyWhiteout(root: Node, entry: TarEntry): void {
  const whiteout = classifyWhiteout(entry.path);
  switch (whiteout.kind) {
    case 'remove': {
      const slash = whiteout.path.lastIndexOf('/');
      const parent = slash < 0 ? root : find(root, whiteout.path.slice(0, slash));
      parent?.children.delete(whiteout.path.slice(slash + 1));
      return;
    }
    case 'opaque':
      find(root, whiteout.directory)?.children.clear();
      return;
    case 'reserved':
    case 'none':
      return;
  }
}

function find(root: Node, path: string): Node | undefined {
  if (path === '.') return root;
  let node: Node | undefined = root;
  for (const name of path.split('/')) node = node?.children.get(name);
  return node;
}

function addEntry(root: Node, { entry, layer }: MergedEntry): void {
  if (entry.path === '.') return;
  const names = entry.path.split('/');
  const last = names.pop() ?? '';
  let parent = root;
  for (const [index, name] of names.entries()) {
    const existing = parent.children.get(name);
    if (existing?.entry.kind === 'directory') {
      parent = existing;
      continue;
    }
    const path = names.slice(0, index + 1).join('/');
    const made: Node = { entry: impliedDirectory(path), layer, children: new Map() };
    parent.children.set(name, made);
    parent = made;
  }
  const existing = parent.children.get(last);
  const keepsChildren = existing?.entry.kind === 'directory' && entry.kind === 'directory';
  parent.children.set(last, {
    entry,
    layer,
    children: keepsChildren ? existing.children : new Map<string, Node>(),
  });
}

/** What extraction makes of a directory that no entry describes. */
function impliedDirectory(path: string): TarEntry {
  return { kind: 'directory', path, mode: 0o755, uid: 0, gid: 0, size: 0, mtimeSeconds: 0 };
}

function flatten(root: Node): ReadonlyMap<string, MergedEntry> {
  const merged = new Map<string, MergedEntry>();
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node !== root) merged.set(node.entry.path, { entry: node.entry, layer: node.layer });
    const children = [...node.children].toSorted(([a], [b]) => (a < b ? 1 : -1));
    for (const [, child] of children) stack.push(child);
  }
  return merged;
}
