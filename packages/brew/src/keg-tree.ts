import type { KegEntry } from './keg.ts';

export interface KegNode {
  readonly entry: KegEntry;
  /** Name → node, in the order of the entries. */
  readonly children: ReadonlyMap<string, KegNode>;
}

interface GrowingNode extends KegNode {
  readonly children: Map<string, GrowingNode>;
}

/** The entries of a keg as a tree, sorted by name; its root is the keg itself. */
export function kegTree(entries: readonly KegEntry[]): KegNode {
  const root: GrowingNode = { entry: { kind: 'directory', path: '' }, children: new Map() };
  for (const entry of entries.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    const names = entry.path.split('/');
    let node = root;
    for (const [depth, name] of names.entries()) {
      let child = node.children.get(name);
      if (child === undefined) {
        const isLast = depth === names.length - 1;
        const path = names.slice(0, depth + 1).join('/');
        child = { entry: isLast ? entry : { kind: 'directory', path }, children: new Map() };
        node.children.set(name, child);
      }
      node = child;
    }
  }
  return root;
}
