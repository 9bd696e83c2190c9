import type { TarEvent } from '@tapline/oci';
import type { BlobStore } from '@tapline/registry';
import type { Compression } from './compression.ts';
import type { CompressorPool } from './compressor-pool.ts';
import type { LayerFacts } from './layer-record.ts';
import { writeLayer } from './layer-writer.ts';
import { readBottle, type ReadBottleOptions } from './read-bottle.ts';

/** Where layers of one image go, in the compression of that image. */
export interface LayerSink {
  readonly compression: Compression;
  /** Compresses and stores a tar, and an index of its files. */
  write(
    tar: AsyncIterable<Uint8Array>,
    options: { readonly signal?: AbortSignal | undefined },
  ): Promise<Pick<LayerFacts, 'digest' | 'diffId' | 'size' | 'fileIndex'>>;
  /** What is in a layer that was written. */
  read(layer: Pick<LayerFacts, 'digest'>, options: ReadBottleOptions): AsyncIterable<TarEvent>;
}

export function createLayerSink(init: {
  readonly store: BlobStore;
  readonly compression: Compression;
  readonly compressors: CompressorPool;
}): LayerSink {
  const { store, compression } = init;
  return {
    compression,
    write: (tar, options) => writeLayer(store, tar, { ...init, ...options }),
    read: ({ digest }, options) => readBottle(store.pathOf(digest), { ...options, compression }),
  };
}
