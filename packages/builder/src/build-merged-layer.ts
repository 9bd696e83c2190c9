import { encodeTarEntry, tarPadding, tarTrailer } from '@tapline/oci';
import type { PouredKeg } from './build-link-layer.ts';
import type { LayerFacts } from './layer-record.ts';
import type { LayerSink } from './layer-sink.ts';

/** One layer with the kegs of several; follows from their layers, whatever image it is for. */
export async function buildMergedLayer(
  sink: LayerSink,
  kegs: readonly PouredKeg[],
  options: { readonly signal?: AbortSignal | undefined },
): Promise<LayerFacts> {
  const directories = new Set<string>();
  const blob = await sink.write(merge(sink, { kegs, directories }, options), options);
  const unpackedSize = kegs.reduce((total, { layer }) => total + layer.unpackedSize, 0);
  const fileCount = kegs.reduce((total, { layer }) => total + layer.fileCount, 0);
  return { ...blob, unpackedSize, fileCount };
}

async function* merge(
  sink: LayerSink,
  merged: { readonly kegs: readonly PouredKeg[]; readonly directories: Set<string> },
  { signal }: { readonly signal?: AbortSignal | undefined },
): AsyncGenerator<Uint8Array, void> {
  const { kegs, directories } = merged;
  for (const keg of kegs) {
    let padding = new Uint8Array(0);
    for await (const event of sink.read(keg.layer, { formula: keg.name, signal })) {
      switch (event.kind) {
        case 'entry': {
          const { kind, path, size } = event.entry;
          // Each layer begins with the folders above its keg.
          if (kind === 'directory' && directories.has(path)) break;
          if (kind === 'directory') directories.add(path);
          padding = new Uint8Array(tarPadding(size));
          yield encodeTarEntry(event.entry);
          break;
        }
        case 'data':
          yield event.bytes;
          break;
        case 'entry-end':
          if (padding.length > 0) yield padding;
          padding = new Uint8Array(0);
          break;
        case 'archive-end':
          break;
      }
    }
  }
  yield tarTrailer();
}
