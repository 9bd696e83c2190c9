import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface OriginServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Method and target of each request, in order. */
  readonly asked: readonly string[];
}

/** A real origin of tests, on a free port of loopback. */
export async function startOrigin(
  answer: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>,
): Promise<OriginServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    // A client that went away is the test's wish.
    response.on('error', () => undefined);
    void answer(request, response);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}
