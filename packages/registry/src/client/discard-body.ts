import { readBody } from '../storage/read-body.ts';

const maxDiscardedBytes = 1024 * 1024;

/** Reads a body that nobody needs, so that its connection can carry the next request. */
export async function discardBody(body: AsyncIterable<Uint8Array>): Promise<void> {
  await readBody(body, { maxBytes: maxDiscardedBytes, code: 'registry_error' });
}
