import { TaplineError } from '@tapline/base';
import { applyLayers, assertSafeEntry, TarDecoder, type TarEntry } from '@tapline/oci';
import { byteString } from '../byte-string.ts';
import type { LayerDirectory, LayerNode } from './layer.ts';

/** Devices and named pipes of layers are not those of guests, which have their own in /dev. */
const taken: ReadonlySet<TarEntry['kind']> = new Set(['file', 'directory', 'symlink', 'hardlink']);

interface Folder {
  readonly entry: TarEntry | undefined;
  readonly names: Map<string, LayerNode | Folder>;
}

/**
 * The layers of an image, base first, as one. They are tar archives without compression, whole in
 * memory; files are views of them.
 */
export function tarLayers(archives: readonly Uint8Array[]): LayerDirectory {
  const contents = new Map<TarEntry, Uint8Array>();
  const layers = archives.map((archive) => readEntries(archive, contents));
  const root: Folder = { entry: undefined, names: new Map() };
  const found = new Map<string, LayerNode | Folder>([['.', root]]);
  const links: TarEntry[] = [];
  for (const [path, { entry }] of applyLayers(layers)) {
    if (entry.kind === 'hardlink') {
      links.push(entry);
      continue;
    }
    const node: LayerNode | Folder =
      entry.kind === 'directory' ? { entry, names: new Map() } : nodeOf(entry, contents);
    put(found, path, node);
  }
  for (const { path, linkTarget = '' } of links) {
    const target = found.get(linkTarget);
    if (target === undefined) {
      throw new TaplineError(
        'layer_invalid',
        `${path} is a hard link to ${linkTarget}, which is not there`,
      );
    }
    put(found, path, target);
  }
  return finish(root);
}

function readEntries(
  archive: Uint8Array,
  contents: Map<TarEntry, Uint8Array>,
): readonly TarEntry[] {
  const decoder = new TarDecoder();
  const entries: TarEntry[] = [];
  for (const event of [...decoder.push(archive), ...decoder.end()]) {
    if (event.kind !== 'entry' || !taken.has(event.entry.kind)) continue;
    const entry = assertSafeEntry(event.entry);
    entries.push(entry);
    const { contentOffset } = event;
    contents.set(entry, archive.subarray(contentOffset, contentOffset + entry.size));
  }
  return entries;
}

function put(found: Map<string, LayerNode | Folder>, path: string, node: LayerNode | Folder): void {
  found.set(path, node);
  const slash = path.lastIndexOf('/');
  const parent = found.get(slash < 0 ? '.' : path.slice(0, slash));
  if (parent !== undefined && 'names' in parent) {
    parent.names.set(byteString(path.slice(slash + 1)), node);
  }
}

function nodeOf(entry: TarEntry, contents: ReadonlyMap<TarEntry, Uint8Array>): LayerNode {
  const { mode, uid, gid, size, mtimeSeconds } = entry;
  const base = { mode, uid, gid, modifiedMs: mtimeSeconds * 1000 };
  if (entry.kind === 'symlink') {
    return { ...base, kind: 'link', mode: 0o777, target: byteString(entry.linkTarget ?? '') };
  }
  return { ...base, kind: 'file', size, load: () => contents.get(entry) ?? new Uint8Array(0) };
}

function finish({ entry, names }: Folder): LayerDirectory {
  let known: ReadonlyMap<string, LayerNode> | undefined;
  const list = (): ReadonlyMap<string, LayerNode> =>
    (known ??= new Map(
      [...names].map(([name, node]) => [name, 'names' in node ? finish(node) : node] as const),
    ));
  const { mode = 0o755, uid = 0, gid = 0, mtimeSeconds = 0 } = entry ?? {};
  return { kind: 'directory', mode, uid, gid, modifiedMs: mtimeSeconds * 1000, list };
}
