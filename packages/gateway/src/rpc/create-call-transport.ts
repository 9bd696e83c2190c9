import type { Interceptor, Transport } from '@connectrpc/connect';
import type { UniversalClientFn } from '@connectrpc/connect/protocol';
import { createTransport } from '@connectrpc/connect/protocol-grpc-web';
import { errorMessage } from '@tapline/base';
import { CloseCode, type TunnelStream } from '@tapline/tunnel';
import { hearErrors } from './call-errors.ts';
import { encodeCallHead } from './call-head.ts';
import { maxCallMessageBytes } from './max-call-message-bytes.ts';

/** Opens the stream of a call; `path` is `/package.Service/Method`. */
export type OpenCall = (path: string, header: Uint8Array) => TunnelStream | Promise<TunnelStream>;

/**
 * Carries calls in streams of a tunnel, each in one of its own, in the form of gRPC-Web: whose trailers
 * are in the body, as a stream has no other place for them.
 */
export function createCallTransport(
  open: OpenCall,
  init: { readonly interceptors?: Interceptor[]; readonly readMaxBytes?: number } = {},
): Transport {
  const { interceptors = [], readMaxBytes = maxCallMessageBytes } = init;
  const transport = createTransport({
    httpClient: callIn(open),
    baseUrl: 'http://tunnel',
    useBinaryFormat: true,
    interceptors,
    // Images and files are compressed; the rest is small.
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: Number.MAX_SAFE_INTEGER,
    readMaxBytes,
    writeMaxBytes: maxCallMessageBytes,
  });
  return hearErrors(transport);
}

function callIn(open: OpenCall): UniversalClientFn {
  return async ({ url, header: metadata, body, signal }) => {
    signal?.throwIfAborted();
    const path = new URL(url).pathname;
    const stream = await open(path, encodeCallHead({ path, metadata }));
    if (signal?.aborted === true) stream.reset(CloseCode.Normal, 'the call was cancelled');
    const cancel = (): void => stream.reset(CloseCode.Normal, 'the call was cancelled');
    signal?.addEventListener('abort', cancel, { once: true });
    const over = (): void => signal?.removeEventListener('abort', cancel);
    stream.closed.addEventListener('abort', over, { once: true });
    void send(stream, body);
    return {
      status: 200,
      header: new Headers({ 'content-type': 'application/grpc-web+proto' }),
      body: receive(stream),
      trailer: new Headers(),
    };
  };
}

async function send(stream: TunnelStream, body: AsyncIterable<Uint8Array> | undefined) {
  try {
    if (body !== undefined) {
      for await (const part of body) if (!stream.write(part)) await stream.writable();
    }
    stream.end();
  } catch (error) {
    stream.reset(CloseCode.Normal, errorMessage(error).slice(0, 200));
  }
}

async function* receive(stream: TunnelStream): AsyncGenerator<Uint8Array, void> {
  try {
    yield* stream;
  } finally {
    // Answered, or not wanted any more: what the peer would still be sent is for nobody.
    stream.reset(CloseCode.Normal, 'the call is over');
  }
}
