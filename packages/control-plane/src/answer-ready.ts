import type { IncomingMessage, ServerResponse } from 'node:http';

/** What /readyz says: 200 once informers are synced, 503 until then. */
export function answerReady(
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  isReady: boolean,
): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD', 'content-length': 0 });
    response.end();
    return;
  }
  const body = isReady ? 'ok' : 'informers are not synced';
  response.writeHead(isReady ? 200 : 503, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
