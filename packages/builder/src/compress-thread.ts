import { parentPort } from 'node:worker_threads';
import { DeflateEncoder } from '@tapline/oci';
import { compressPiece } from './compress-piece.ts';
import type { CompressRequest } from './compressor-pool.ts';

/** A thread of a compressor pool: compresses pieces in the memory that it shares with the pool. */
const port = parentPort;
if (port === null) throw new Error('compress-thread.ts runs as a worker thread');
const deflate = new DeflateEncoder();

port.on('message', ({ compression, buffers, length }: CompressRequest) => {
  const compressed = compressPiece(compression, buffers.input.subarray(0, length), { deflate });
  buffers.output.set(compressed);
  port.postMessage(compressed.length);
});
