import { TaplineError } from '@tapline/base';
import { type Digest, isRepositoryName, parseDigest } from '@tapline/oci';
import { parseContentRange } from './content-range.ts';
import { answer, type Exchange, type RegistryState } from './exchange.ts';
import type { UploadChunk } from '../storage/upload-sessions.ts';

/** POST to `blobs/uploads/`: mounts a blob, takes one whole, or opens an upload. */
export async function openUpload(
  state: RegistryState,
  exchange: Exchange,
  repository: string,
): Promise<void> {
  const mount = exchange.query.get('mount');
  if (mount !== null && (await mountBlob(state, exchange, { repository, mount }))) return;
  const digest = exchange.query.get('digest');
  const expected = digest === null ? undefined : parseDigest(digest);
  const id = await state.uploads.open(repository);
  if (expected === undefined) {
    answer(exchange, 202, uploadHeaders(repository, id, 0));
    return;
  }
  await finish(state, exchange, { repository, id, digest: expected });
}

/** GET, PATCH, PUT and DELETE of an upload under way. */
export async function serveUpload(
  state: RegistryState,
  exchange: Exchange,
  upload: { readonly repository: string; readonly id: string },
): Promise<void> {
  const { repository, id } = upload;
  const method = exchange.request.method ?? '';
  switch (method) {
    case 'GET':
      answer(exchange, 204, uploadHeaders(repository, id, state.uploads.size(repository, id)));
      return;
    case 'PATCH': {
      const size = await state.uploads.append(repository, id, {
        body: exchange.request,
        chunk: announcedChunk(exchange),
      });
      answer(exchange, 202, uploadHeaders(repository, id, size));
      return;
    }
    case 'PUT': {
      const digest = exchange.query.get('digest');
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
  upload: { readonly repository: string; readonly id: string; readonly digest: Digest },
): Promise<void> {
  const { repository, id, digest } = upload;
  if (!digest.startsWith('sha256:')) {
    await state.uploads.cancel(repository, id);
    throw new TaplineError('digest_invalid', `blobs are stored by sha256, not by ${digest}`);
  }
  await state.uploads.finish(repository, id, {
    body: exchange.request,
    chunk: announcedChunk(exchange),
    digest,
  });
  state.index.linkBlob(repository, digest);
  created(exchange, repository, digest);
}

/** Links a blob of a repository the caller may read; false where the blob has to be sent. */
async function mountBlob(
  state: RegistryState,
  exchange: Exchange,
  blob: { readonly repository: string; readonly mount: string },
): Promise<boolean> {
  const from = exchange.query.get('from');
  const digest = parseDigest(blob.mount);
  if (from === null || !isRepositoryName(from)) return false;
  if ((await exchange.access({ repository: from, action: 'pull' })) !== 'allowed') return false;
  if (!state.index.hasBlob(from, digest) || !(await state.blobs.has(digest))) return false;
  state.index.linkBlob(blob.repository, digest);
  created(exchange, blob.repository, digest);
  return true;
}

function created(exchange: Exchange, repository: string, digest: Digest): void {
  answer(exchange, 201, {
    location: `/v2/${repository}/blobs/${digest}`,
    'docker-content-digest': digest,
  });
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

function uploadHeaders(
  repository: string,
  id: string,
  size: number,
): Readonly<Record<string, string>> {
  return {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    'docker-upload-uuid': id,
    // Inclusive, so that nothing and one byte look the same; clients know which they sent.
    range: `0-${Math.max(size - 1, 0)}`,
  };
}
