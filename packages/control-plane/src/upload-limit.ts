import type { IncomingMessage } from 'node:http';
import type { BodyLimit } from './bound-request.ts';

const upload = /^\/apis\/[^/]+\/[^/]+\/devices\/[^/]+\/upload(?:\?|$)/;
const silenceMs = 60_000;

/** A file for a device takes as long as the device's path does; everything else of the API is small. */
export function uploadLimit({ method, url = '' }: IncomingMessage): BodyLimit | undefined {
  return method === 'PUT' && upload.test(url) ? { kind: 'silence', ms: silenceMs } : undefined;
}
