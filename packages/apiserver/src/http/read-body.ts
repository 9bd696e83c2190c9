import type { IncomingMessage } from 'node:http';
import { apiError, badRequest } from '../api-error.ts';

/** Reads a request's body. Fails with `too_large` beyond `maxBytes`, without reading on. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const declared = Number(request.headers['content-length'] ?? 0);
    if (declared > maxBytes) {
      reject(tooLarge(declared, maxBytes));
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) {
        request.pause();
        request.removeAllListeners('data');
        reject(tooLarge(size, maxBytes));
      } else chunks.push(chunk);
    });
    const onClose = (): void => reject(badRequest('the connection closed before the body ended'));
    request.once('close', onClose);
    request.on('end', () => {
      request.off('close', onClose);
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks));
    });
    request.on('error', reject);
  });
}

function tooLarge(size: number, maxBytes: number): Error {
  return apiError(
    'too_large',
    `Request entity too large: limit is ${maxBytes} bytes, this has at least ${size}`,
  );
}
