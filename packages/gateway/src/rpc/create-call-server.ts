import {
  Code,
  type ConnectRouter,
  type ContextValues,
  createConnectRouter,
  type Interceptor,
} from '@connectrpc/connect';
import { errorMessage } from '@tapline/base';
import { CloseCode, type TunnelStream } from '@tapline/tunnel';
import { tellErrors } from './call-errors.ts';
import { decodeCallHead } from './call-head.ts';
import { maxCallMessageBytes } from './max-call-message-bytes.ts';

/** One end of a tunnel as a server of calls. */
export interface CallServer {
  /** Serves one until it ends; never rejects. */
  serve(stream: TunnelStream, values?: ContextValues): Promise<void>;
}

const trailerFlag = 0x80;

export function createCallServer(
  routes: (router: ConnectRouter) => void,
  init: { readonly interceptors?: readonly Interceptor[]; readonly writeMaxBytes?: number } = {},
): CallServer {
  const { interceptors = [], writeMaxBytes = maxCallMessageBytes } = init;
  const router = createConnectRouter({
    connect: false,
    grpc: false,
    grpcWeb: true,
    acceptCompression: [],
    readMaxBytes: maxCallMessageBytes,
    writeMaxBytes,
    interceptors: [tellErrors, ...interceptors],
  });
  routes(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  async function answer(stream: TunnelStream, values?: ContextValues): Promise<void> {
    const { path, metadata } = decodeCallHead(stream.opening.header);
    const handler = handlers.get(path);
    if (handler === undefined) {
      stream.write(trailers(Code.Unimplemented, `${path} is not served here`));
      return stream.end();
    }
    const gone = new AbortController();
    const onClosed = (): void => gone.abort(stream.closed.reason);
    stream.closed.addEventListener('abort', onClosed, { once: true });
    const { status, body } = await handler({
      httpVersion: '2.0',
      url: `http://tunnel${path}`,
      method: 'POST',
      header: metadata,
      body: stream,
      signal: gone.signal,
      ...(values === undefined ? {} : { contextValues: values }),
    });
    if (status !== 200 || body === undefined) {
      return stream.reset(CloseCode.Refused, `the call is malformed: ${status}`);
    }
    for await (const part of body) if (!stream.write(part)) await stream.writable();
    stream.end();
  }

  return {
    async serve(stream, values) {
      try {
        await answer(stream, values);
      } catch (error) {
        stream.reset(CloseCode.Internal, errorMessage(error).slice(0, 200));
      }
    },
  };
}

/** An answer of nothing but a status. */
function trailers(status: Code, message: string): Uint8Array {
  const text = `grpc-status: ${status}\r\ngrpc-message: ${encodeURIComponent(message)}\r\n`;
  const body = new TextEncoder().encode(text);
  const envelope = new Uint8Array(5 + body.length);
  envelope[0] = trailerFlag;
  new DataView(envelope.buffer).setUint32(1, body.length);
  envelope.set(body, 5);
  return envelope;
}
