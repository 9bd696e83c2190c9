import {
  Agent,
  createServer,
  type IncomingMessage,
  request as requestHttp,
  type ServerResponse,
} from 'node:http';
import { type Duplex, duplexPair } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { HttpTransport } from './http-transport.ts';

/** Requests to a handler of this process, over no socket. */
export interface InProcessTransport extends HttpTransport {
  /** Whether a request that the handler got came this way: from the process itself. */
  isOwn(request: IncomingMessage): boolean;
}

export function createInProcessTransport(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): InProcessTransport {
  const server = createServer(handle);
  const own = new WeakSet<object>();

  class PairAgent extends Agent {
    override createConnection(): Duplex {
      const [client, other] = duplexPair();
      own.add(other);
      // Either end may go away first; requests and answers say what came of it.
      client.on('error', () => undefined);
      other.on('error', () => undefined);
      server.emit('connection', other);
      return client;
    }
  }
  const agent = new PairAgent({ keepAlive: false });

  return {
    isOwn: ({ socket }) => own.has(socket),
    send({ method, url, headers, body, signal }) {
      return new Promise((resolve, reject) => {
        const request = requestHttp(url, { method, headers, signal, agent });
        request.on('error', reject);
        request.on('response', (response) =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response }),
        );
        if (body === undefined || body instanceof Uint8Array) request.end(body);
        else pipeline(body, request).catch(reject);
      });
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
      server.closeAllConnections();
      await Promise.resolve();
    },
  };
}
