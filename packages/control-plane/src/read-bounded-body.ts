import type { IncomingMessage } from 'node:http';
import { TaplineError } from '@tapline/base';

/** The body of a request. Throws `bad_request` where it has more than `maxBytes`. */
export async function readBoundedBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) {
      throw new TaplineError('bad_request', `the body has more than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
