import { TaplineError } from '@tapline/base';
import { type Digest, isRepositoryName, parseDigest } from '@tapline/oci';
import { algorithmOf, type DigestAlgorithm } from '../storage/digest-algorithm.ts';
import type { UploadChunk } from '../storage/upload-sessions.ts';
import { parseContentRange } from './content-range.ts';
import { answer, bodyOf, type Exchange, type RegistryState } from './exchange.ts';
import { mountBlob } from './mount-blob.ts';

interface Upload {
  readonly repository: string;
  readonly id: string;
}

/** POST to `blobs/uploads/`: mounts a blob, takes one whole, or opens an upload. */
export async function openUpload(
  state: RegistryState,
  exchange: Exchange,
  repository: string,
): Promise<void> {
  const { query, request } = exchange;
  const mount = query.get('mount');
  if (mount !== null) {
    const from = query.get('from') ?? undefined;
    if (from === undefined || isRepositoryName(from)) {
      const digest = parseDigest(mount);
      if (await mountBlob(state, exchange, { repository, digest, from })) {
        await created(state, exchange, { repository, digest, verb: 'mount' });
        return;
      }
    }
  }
  const digest = query.get('digest');
  if (digest === null) {
    assertFits(state, repository, Number(request.headers['content-length'] ?? 0));
    const id = await state.uploads.create(repository, announcedAlgorithm(query));
    answer(exchange, 202, uploadHeaders({ repository, id }, 0));
    return;
  }
  const expected = parseDigest(digest);
  assertFits(state, repository, Number(request.headers['content-length'] ?? 0));
  const id = await state.uploads.create(repository, algorithmOf(expected));
  try {
    await finish(state, exchange, { repository, id, digest: expected });
  } catch (error) {
    // The client never learned of this upload, and cannot go on with it.
    await state.uploads.cancel(repository, id).catch(() => undefined);
    throw error;
  }
}

/** GET, PATCH, PUT and DELETE of an upload under way. */
export async function serveUpload(
  state: RegistryState,
  exchange: Exchange,
  upload: Upload,
): Promise<void> {
  const { repository, id } = upload;
  const { query, request } = exchange;
  const method = request.method ?? '';
  switch (method) {
    case 'GET':
    case 'HEAD':
      answer(exchange, 204, uploadHeaders(upload, await state.uploads.size(repository, id)));
      return;
    case 'PATCH': {
      const before = await state.uploads.size(repository, id);
      const size = await state.uploads.append(repository, id, {
        body: bodyOf(exchange),
        chunk: announcedChunk(exchange),
      });
      state.observer.received(size - before);
      answer(exchange, 202, uploadHeaders(upload, size));
      return;
    }
    case 'PUT': {
      const digest = query.get('digest');
      if (digest === null) {
        throw new TaplineError('digest_invalid', 'the digest of the upload is missing');
      }
      await finish(state, exchange, { repository, id, digest: parseDigest(digest) });
      return;
    }
    case 'DELETE':
      await state.uploads.cancel(repository, id);
      answer(exchange, 204);
      return;
    default:
      throw new TaplineError('unsupported', `uploads take no ${method}`);
  }
}

async function finish(
  state: RegistryState,
  exchange: Exchange,
  upload: Upload & { readonly digest: Digest },
): Promise<void> {
  const { repository, id, digest } = upload;
  const before = await state.uploads.size(repository, id);
  const { size } = await state.uploads.finish(repository, id, {
    body: bodyOf(exchange),
    chunk: announcedChunk(exchange),
    digest,
  });
  state.observer.received(size - before);
  await created(state, exchange, { repository, digest, verb: 'push' });
}

async function created(
  state: RegistryState,
  exchange: Exchange,
  blob: { readonly repository: string; readonly digest: Digest; readonly verb: 'push' | 'mount' },
): Promise<void> {
  const { repository, digest, verb } = blob;
  const { request } = exchange;
  await state.audit({ request, verb, what: 'blob', repository, reference: digest, code: 201 });
  answer(exchange, 201, {
    location: `/v2/${repository}/blobs/${digest}`,
    'docker-content-digest': digest,
  });
}

/** Refused before a byte of it is sent, where its size is known. */
function assertFits(state: RegistryState, repository: string, size: number): void {
  if (Number.isFinite(size)) state.catalog.assertRoom(repository, size);
}

/** Which digest the client means to end with, where it says so; sha256 otherwise. */
function announcedAlgorithm(query: URLSearchParams): DigestAlgorithm | undefined {
  const name = query.get('digest-algorithm');
  if (name === null || name === 'sha256' || name === 'sha512') return name ?? undefined;
  throw new TaplineError(
    'digest_invalid',
    `digests are sha256 or sha512, not ${name.slice(0, 40)}`,
  );
}

function announcedChunk({ request }: Exchange): UploadChunk | undefined {
  const header = request.headers['content-range'];
  if (header === undefined) return undefined;
  const chunk = parseContentRange(header);
  const length = Number(request.headers['content-length'] ?? Number.NaN);
  if (length !== chunk.end - chunk.start) {
    throw new TaplineError(
      'size_invalid',
      `content length ${length} is not that of content range ${header.slice(0, 80)}`,
    );
  }
  return chunk;
}

function uploadHeaders({ repository, id }: Upload, size: number): Readonly<Record<string, string>> {
  return {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    'docker-upload-uuid': id,
    // Inclusive, so that nothing and one byte look the same; clients know which they sent.
    range: `0-${Math.max(size - 1, 0)}`,
  };
}
