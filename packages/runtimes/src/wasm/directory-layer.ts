import { byteString, type LayerDirectory, type LayerNode } from '@tapline/userland';
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';

/**
 * A folder of this machine as a layer: looked at when a guest does, and never changed. What is neither
 * file, folder nor link is not in it.
 */
export function directoryLayer(path: string): LayerDirectory {
  /** Files with several names, by device and inode. */
  const linked = new Map<string, LayerNode>();
  return directory(path, lstatSync(path), linked);
}

function directory(path: string, stats: Stats, linked: Map<string, LayerNode>): LayerDirectory {
  let known: ReadonlyMap<string, LayerNode> | undefined;
  return {
    ...base(stats),
    kind: 'directory',
    list: () => (known ??= listOf(path, linked)),
  };
}

function listOf(path: string, linked: Map<string, LayerNode>): ReadonlyMap<string, LayerNode> {
  const names = new Map<string, LayerNode>();
  for (const name of readdirSync(path)) {
    const node = nodeOf(`${path}/${name}`, linked);
    if (node !== undefined) names.set(byteString(name), node);
  }
  return names;
}

function nodeOf(path: string, linked: Map<string, LayerNode>): LayerNode | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  if (stats.isDirectory()) return directory(path, stats, linked);
  if (stats.isSymbolicLink()) {
    return { ...base(stats), kind: 'link', target: byteString(readlinkSync(path)) };
  }
  if (!stats.isFile()) return undefined;
  const identity = `${stats.dev}:${stats.ino}`;
  const before = stats.nlink > 1 ? linked.get(identity) : undefined;
  if (before !== undefined) return before;
  const { size } = stats;
  const node: LayerNode = { ...base(stats), kind: 'file', size, load: () => readFileSync(path) };
  if (stats.nlink > 1) linked.set(identity, node);
  return node;
}

function base({
  mode,
  uid,
  gid,
  mtimeMs,
}: Stats): Pick<LayerNode, 'mode' | 'uid' | 'gid' | 'modifiedMs'> {
  return { mode: mode & 0o7777, uid, gid, modifiedMs: mtimeMs };
}
