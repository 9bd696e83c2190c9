import { cellar, StepFailure } from '@tapline/brew';
import type { PouredKeg } from './build-link-layer.ts';
import type { LayerSink } from './layer-sink.ts';

export interface KegFile {
  readonly mode: number;
  readonly data: Uint8Array;
}

/** What is read at once is held at once; Homebrew's steps copy configuration and small trees. */
const maxBytes = 512 * 1024 * 1024;

/**
 * Files of kegs out of their layers, where they are relocated, by `<formula>/<path in the keg>`. Throws
 * {@link StepFailure} where they are too large to be held.
 */
export async function readKegFiles(
  sink: LayerSink,
  kegs: readonly PouredKeg[],
  wanted: readonly { readonly formula: string; readonly path: string }[],
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<ReadonlyMap<string, KegFile>> {
  const found = new Map<string, KegFile>();
  for (const keg of kegs) {
    const paths = wanted.filter(({ formula }) => formula === keg.name).map(({ path }) => path);
    const files = await readFiles(sink, keg, new Set(paths), { signal });
    for (const path of paths) {
      const file = files.get(path);
      if (file === undefined) throw new RangeError(`the layer of ${keg.name} lacks ${path}`);
      found.set(`${keg.name}/${path}`, file);
    }
  }
  return found;
}

async function readFiles(
  sink: LayerSink,
  keg: PouredKeg,
  wanted: ReadonlySet<string>,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<ReadonlyMap<string, KegFile>> {
  const files = new Map<string, KegFile>();
  if (wanted.size === 0) return files;
  const missing = new Set(wanted);
  const links = new Map<string, string>();
  const root = `${cellar.slice(1)}/${keg.name}/${keg.pkgVersion}/`;
  let held = 0;
  let parts: Uint8Array[] | undefined;
  let path = '';
  let mode = 0;
  for await (const event of sink.read(keg.layer, { formula: keg.name, ...options })) {
    if (event.kind === 'entry') {
      const { entry } = event;
      path = entry.path.slice(root.length);
      mode = entry.mode;
      const isWanted = missing.has(path);
      if (isWanted && entry.kind === 'hardlink') {
        links.set(path, (entry.linkTarget ?? '').slice(root.length));
        missing.delete(path);
      }
      parts = isWanted && entry.kind === 'file' ? [] : undefined;
      held += parts === undefined ? 0 : entry.size;
      if (held > maxBytes) {
        throw new StepFailure(`files of ${keg.name} are more than ${maxBytes} bytes`);
      }
    } else if (event.kind === 'data') {
      parts?.push(event.bytes);
    } else if (event.kind === 'entry-end' && parts !== undefined) {
      files.set(path, { mode, data: Buffer.concat(parts) });
      missing.delete(path);
      parts = undefined;
    }
    // They are at the start of a large layer, as a rule.
    if (missing.size === 0 && parts === undefined) break;
  }
  if (links.size === 0) return files;
  // A hard link comes after the file it names, which was not wanted by its other name.
  const targets = new Set([...links.values()].filter((target) => !files.has(target)));
  const linked = await readFiles(sink, keg, targets, options);
  for (const [name, target] of links) {
    const file = files.get(target) ?? linked.get(target);
    if (file !== undefined) files.set(name, file);
  }
  return files;
}
