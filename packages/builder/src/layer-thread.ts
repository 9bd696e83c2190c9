import { parentPort } from 'node:worker_threads';
import { toErrorData } from '@tapline/base';
import { DeflateEncoder } from '@tapline/oci';
import { compressPiece } from './compress-piece.ts';
import type { LayerThreadReply, LayerThreadRequest } from './layer-thread-protocol.ts';
import { ChunkSender } from './pour/chunk-channel.ts';
import { pourBottle } from './pour/pour-bottle.ts';

/** A thread of the builder: all of its computing that takes longer than an event loop should wait. */
const port = parentPort;
if (port === null) throw new Error('layer-thread.ts runs as a worker thread');
const deflate = new DeflateEncoder();

port.on('message', (request: LayerThreadRequest) => {
  let reply: LayerThreadReply;
  try {
    reply = answer(request);
  } catch (error) {
    reply = { kind: 'failed', error: toErrorData(error, 'layer_thread_failed') };
  }
  port.postMessage(reply);
});

function answer(request: LayerThreadRequest): LayerThreadReply {
  if (request.kind === 'pour') {
    const announce = (chunk: { readonly slot: number; readonly length: number }): void =>
      port?.postMessage({ kind: 'chunk', ...chunk });
    const channel = new ChunkSender(request.memory, announce);
    const emit = (bytes: Uint8Array): void => channel.send(bytes);
    return { kind: 'poured', poured: pourBottle(request.bottle, { deflate, emit }) };
  }
  const { compression, buffers, length } = request;
  const compressed = compressPiece(compression, buffers.input.subarray(0, length), { deflate });
  buffers.output.set(compressed);
  return { kind: 'compressed', size: compressed.length };
}
