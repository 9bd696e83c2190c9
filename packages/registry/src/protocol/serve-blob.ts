import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { TaplineError } from '@tapline/base';
import type { Digest } from '@tapline/oci';
import { parseByteRange } from './byte-range.ts';
import { answer, type Exchange, type RegistryState } from './exchange.ts';

const readChunkBytes = 256 * 1024;

/** GET and HEAD of a blob that the repository links, whole or one range of it. */
export async function serveBlob(
  state: RegistryState,
  exchange: Exchange,
  blob: { readonly repository: string; readonly digest: Digest },
): Promise<void> {
  const { request, response } = exchange;
  const { repository, digest } = blob;
  const size = state.index.hasBlob(repository, digest) ? await state.blobs.size(digest) : undefined;
  if (size === undefined) {
    throw new TaplineError('blob_unknown', `blob ${digest} is not in ${repository}`);
  }
  const headers = {
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    etag: `"${digest}"`,
    'cache-control': 'max-age=31536000, immutable',
  };
  if (request.headers['if-none-match']?.includes(`"${digest}"`) === true) {
    response.writeHead(304, headers).end();
    return;
  }
  // RFC 9110 §13.1.5: a range of another representation would be useless, so all of it is sent.
  const ifRange = request.headers['if-range'];
  const range =
    ifRange === undefined || ifRange === headers.etag
      ? parseByteRange(request.headers.range, size)
      : { kind: 'full' as const };
  if (range.kind === 'unsatisfiable') {
    answer(exchange, 416, { 'content-range': `bytes */${size}` });
    return;
  }
  const { start, end } = range.kind === 'part' ? range : { start: 0, end: size };
  response.writeHead(range.kind === 'part' ? 206 : 200, {
    ...headers,
    'content-length': end - start,
    ...(range.kind === 'part' && { 'content-range': `bytes ${start}-${end - 1}/${size}` }),
  });
  if (request.method === 'HEAD' || start === end) {
    response.end();
    return;
  }
  const file = createReadStream(state.blobs.pathOf(digest), {
    start,
    end: end - 1,
    highWaterMark: readChunkBytes,
  });
  await pipeline(file, response);
}
