import type { LayerDirectory, LayerNode } from '@tapline/userland';

/** A node of a folder as it is served: what is in it is asked for by its number. */
export interface ServedNode {
  readonly kind: LayerNode['kind'];
  /** The same node has the same number, so files with several names are seen as one. */
  readonly node: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modifiedMs: number;
  /** Of a file. */
  readonly size?: number;
  /** Of a link: a byte string. */
  readonly target?: string;
}

/** Reads what is served at a path; waits for it. */
export type ReadServed = (path: string) => Uint8Array;

/**
 * A folder that is fetched as the guest looks into it: `nodes` is its root, `nodes/N` what is in a
 * folder, `content/N` the bytes of a file. A guest's call cannot wait for a promise, so `read` is
 * synchronous, as workers may be.
 */
export function servedFolder(read: ReadServed): LayerDirectory {
  const known = new Map<number, LayerNode>();
  const parse = (path: string): unknown => JSON.parse(new TextDecoder().decode(read(path)));
  const nodeOf = (served: ServedNode): LayerNode => {
    const before = known.get(served.node);
    if (before !== undefined) return before;
    const { mode, uid, gid, modifiedMs, node, size = 0, target = '' } = served;
    const base = { mode, uid, gid, modifiedMs };
    const made = ((): LayerNode => {
      switch (served.kind) {
        case 'file':
          return { ...base, kind: 'file', size, load: () => read(`content/${node}`) };
        case 'link':
          return { ...base, kind: 'link', target };
        case 'directory':
          return { ...base, kind: 'directory', list: () => listOf(node) };
      }
    })();
    known.set(node, made);
    return made;
  };
  const lists = new Map<number, ReadonlyMap<string, LayerNode>>();
  const listOf = (node: number): ReadonlyMap<string, LayerNode> => {
    const before = lists.get(node);
    if (before !== undefined) return before;
    const served = parse(`nodes/${node}`) as Readonly<Record<string, ServedNode>>;
    const list = new Map(Object.entries(served).map(([name, each]) => [name, nodeOf(each)]));
    lists.set(node, list);
    return list;
  };
  const root = nodeOf(parse('nodes') as ServedNode);
  if (root.kind !== 'directory') throw new Error('the root of a served folder is a folder');
  return root;
}
