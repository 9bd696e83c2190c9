import { DeflateEncoder } from '@tapline/oci';
import type { BlobStore } from '@tapline/registry';
import { compressPiece } from '../compress-piece.ts';
import type { Compression } from '../compression.ts';
import { createLayerSink, type LayerSink } from '../layer-sink.ts';
import type { LayerThreads } from '../layer-threads.ts';
import { createPieceMemory } from '../piece-buffers.ts';
import { pourBottle } from '../pour/pour-bottle.ts';

/** Makes layers in the thread of the test. */
function inlineThreads(): LayerThreads {
  const deflate = new DeflateEncoder();
  return {
    width: 1,
    memory: createPieceMemory(),
    compress({ compression, buffers, length }) {
      const piece = compressPiece(compression, buffers.input.subarray(0, length), { deflate });
      buffers.output.set(piece);
      return Promise.resolve(piece.length);
    },
    async pour(bottle, { write }) {
      const chunks: Uint8Array[] = [];
      const emit = (bytes: Uint8Array): void => void chunks.push(Uint8Array.from(bytes));
      const poured = pourBottle(bottle, { deflate, emit });
      for (const chunk of chunks) await write(chunk);
      return poured;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

export function testSink(store: BlobStore, compression: Compression = 'gzip'): LayerSink {
  return createLayerSink({ store, compression, threads: inlineThreads() });
}
