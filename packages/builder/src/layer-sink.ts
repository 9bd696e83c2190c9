import type { TarEvent } from '@tapline/oci';
import type { BlobStore } from '@tapline/registry';
import type { Compression } from './compression.ts';
import type { LayerFacts, LayerRecord, WrittenLayer } from './layer-record.ts';
import type { LayerThreads } from './layer-threads.ts';
import { writeLayer } from './layer-writer.ts';
import type { PourRequest } from './pour/pour-bottle.ts';
import { readBottle, type ReadBottleOptions } from './read-bottle.ts';

export interface LayerOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Where layers of one image go, in the compression of that image. */
export interface LayerSink {
  readonly compression: Compression;
  /**
   * Makes a layer of a bottle, and an index of its files. Throws `unsafe_tar_entry`, `bottle_corrupt`.
   */
  pour(bottle: Omit<PourRequest, 'compression'>, options: LayerOptions): Promise<LayerRecord>;
  /** Compresses and stores a tar, and an index of its files. */
  write(tar: AsyncIterable<Uint8Array>, options: LayerOptions): Promise<WrittenLayer>;
  /** What is in a layer that was written. */
  read(layer: Pick<LayerFacts, 'digest'>, options: ReadBottleOptions): AsyncIterable<TarEvent>;
}

export function createLayerSink(init: {
  readonly store: BlobStore;
  readonly compression: Compression;
  readonly threads: LayerThreads;
}): LayerSink {
  const { store, compression, threads } = init;
  return {
    compression,
    async pour(bottle, { signal }) {
      await using writer = await store.openWriter();
      const write = (bytes: Uint8Array): Promise<void> => writer.write(bytes);
      const poured = await threads.pour({ ...bottle, compression }, { write, signal });
      await using indexWriter = await store.openWriter();
      await indexWriter.write(poured.fileIndex);
      // Side by side: the disk takes longer for each than a small layer takes to make.
      const commits = [writer.commit(poured.digest), indexWriter.commit()] as const;
      await Promise.allSettled(commits);
      const [{ digest, size }, fileIndex] = await Promise.all(commits);
      return { ...poured.keg, digest, size, diffId: poured.diffId, fileIndex };
    },
    write: (tar, options) => writeLayer(store, tar, { ...init, ...options }),
    read: ({ digest }, options) => readBottle(store.pathOf(digest), { ...options, compression }),
  };
}
