import { DeflateEncoder } from '@tapline/oci';
import type { BlobStore } from '@tapline/registry';
import { compressPiece } from '../compress-piece.ts';
import type { Compression } from '../compression.ts';
import type { CompressorPool } from '../compressor-pool.ts';
import { createLayerSink, type LayerSink } from '../layer-sink.ts';
import { createPieceMemory } from '../piece-buffers.ts';

/** Compresses in the thread of the test. */
export function inlineCompressors(): CompressorPool {
  const deflate = new DeflateEncoder();
  return {
    width: 1,
    memory: createPieceMemory(),
    compress({ compression, buffers, length }) {
      const piece = compressPiece(compression, buffers.input.subarray(0, length), { deflate });
      buffers.output.set(piece);
      return Promise.resolve(piece.length);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

export function testSink(store: BlobStore, compression: Compression = 'gzip'): LayerSink {
  return createLayerSink({ store, compression, compressors: inlineCompressors() });
}
