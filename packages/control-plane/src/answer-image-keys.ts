import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TrustedKeys } from '@tapline/signatures';

/** Serves the public keys of images to whoever asks: there is nothing to hide in them. */
export function answerImageKeys(
  request: IncomingMessage,
  response: ServerResponse,
  trusted: TrustedKeys,
): void {
  const allowed = request.method === 'GET' || request.method === 'HEAD';
  const body = JSON.stringify(allowed ? { keys: trusted.pems } : { error: 'takes GET and HEAD' });
  response.writeHead(allowed ? 200 : 405, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...(!allowed && { allow: 'GET, HEAD' }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
