import { isSystemError, TaplineError } from '@tapline/base';
import type { Digest } from '@tapline/oci';
import { parseByteRange } from './byte-range.ts';
import { etagMatches } from './etag-matches.ts';
import { answer, type Exchange, type RegistryState } from './exchange.ts';
import type { OpenedFile } from './file-sender.ts';
import { holdUnneeded } from './hold-unneeded.ts';

export interface NamedBlob {
  readonly repository: string;
  readonly digest: Digest;
}

/** GET, HEAD and DELETE of a blob that the repository links; GET of all of it or of one range. */
export async function serveBlob(
  state: RegistryState,
  exchange: Exchange,
  blob: NamedBlob,
): Promise<void> {
  const method = exchange.request.method ?? '';
  switch (method) {
    case 'GET':
    case 'HEAD':
      return await getBlob(state, exchange, blob);
    case 'DELETE':
      return await deleteBlob(state, exchange, blob);
    default:
      throw new TaplineError('unsupported', `blobs take no ${method}`);
  }
}

async function getBlob(state: RegistryState, exchange: Exchange, blob: NamedBlob): Promise<void> {
  const { request, response } = exchange;
  const { repository, digest } = blob;
  const size = state.catalog.blobSize(repository, digest);
  if (size === undefined) throw blobUnknown(blob);
  const etag = `"${digest}"`;
  const headers = {
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    etag,
    'cache-control': 'max-age=31536000, immutable',
  };
  if (request.method === 'HEAD') {
    // Whoever is told that it is here does not send it, and refers to it next.
    const isHere =
      (await holdUnneeded(state, blob)) && (await state.blobs.sizeOnDisk(digest)) === size;
    if (!isHere) throw blobUnknown(blob);
    if (etagMatches(request.headers['if-none-match'], etag)) {
      response.writeHead(304, headers).end();
      return;
    }
    response.writeHead(200, { ...headers, 'content-length': size }).end();
    return;
  }
  await using file = await openBlob(state, blob);
  if (etagMatches(request.headers['if-none-match'], etag)) {
    response.writeHead(304, headers).end();
    return;
  }
  // RFC 9110 §13.1.5: a range of another representation would be useless, so all of it is sent.
  const ifRange = request.headers['if-range'];
  const range =
    ifRange === undefined || ifRange === etag
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
  await file.send(response, { start, end });
  state.observer.sent(end - start);
}

async function openBlob(state: RegistryState, blob: NamedBlob): Promise<OpenedFile> {
  try {
    return await state.files.open(state.blobs.pathOf(blob.digest));
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) throw blobUnknown(blob);
    throw error;
  }
}

async function deleteBlob(
  state: RegistryState,
  exchange: Exchange,
  blob: NamedBlob,
): Promise<void> {
  const { repository, digest } = blob;
  const changes = await state.catalog.write({ kind: 'delete-blob', repository, digest });
  if (changes === 0) throw blobUnknown(blob);
  const { request } = exchange;
  const change = { verb: 'delete', what: 'blob', repository, reference: digest } as const;
  await state.audit({ request, ...change, code: 202 });
  answer(exchange, 202);
}

function blobUnknown({ repository, digest }: NamedBlob): TaplineError {
  return new TaplineError('blob_unknown', `blob ${digest} is not in ${repository}`);
}
