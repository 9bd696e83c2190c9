import { readFile } from 'node:fs/promises';
import { TaplineError } from '@tapline/base';
import { type Digest, digestBytes, type ParsedManifest, parseManifest } from '@tapline/oci';
import { describeManifest } from './describe-manifest.ts';
import { answer, type Exchange, type RegistryState } from './exchange.ts';
import { readBody } from '../storage/read-body.ts';
import type { ManifestReference } from './registry-route.ts';
import { sha256 } from '../storage/sha256.ts';

/** OCI distribution 1.1 asks registries to take at least this much. */
const maxManifestBytes = 4 * 1024 * 1024;

export interface NamedManifest {
  readonly repository: string;
  readonly reference: ManifestReference;
}

/** GET, HEAD, PUT and DELETE of a manifest. */
export async function serveManifest(
  state: RegistryState,
  exchange: Exchange,
  named: NamedManifest,
): Promise<void> {
  const method = exchange.request.method ?? '';
  switch (method) {
    case 'GET':
    case 'HEAD':
      return await getManifest(state, exchange, named);
    case 'PUT':
      return await putManifest(state, exchange, named);
    case 'DELETE':
      return deleteManifest(state, exchange, named);
    default:
      throw new TaplineError('unsupported', `manifests take no ${method}`);
  }
}

async function getManifest(
  state: RegistryState,
  exchange: Exchange,
  named: NamedManifest,
): Promise<void> {
  const { request, response } = exchange;
  const { repository, reference } = named;
  const digest =
    reference.kind === 'digest' ? reference.digest : state.index.tag(repository, reference.tag);
  const record = digest === undefined ? undefined : state.index.manifest(repository, digest);
  if (record === undefined) throw manifestUnknown(named);
  const { descriptor } = record;
  const headers = {
    'content-type': descriptor.mediaType,
    'docker-content-digest': descriptor.digest,
    etag: `"${descriptor.digest}"`,
  };
  if (request.headers['if-none-match']?.includes(headers.etag) === true) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(200, { ...headers, 'content-length': descriptor.size });
  if (request.method === 'HEAD') response.end();
  else response.end(await readFile(state.blobs.pathOf(descriptor.digest)));
}

async function putManifest(
  state: RegistryState,
  exchange: Exchange,
  named: NamedManifest,
): Promise<void> {
  const { repository, reference } = named;
  const bytes = await readBody(exchange.request.iterator({ destroyOnReturn: false }), {
    maxBytes: maxManifestBytes,
    code: 'manifest_too_large',
  });
  const parsed = parseManifest(bytes);
  const document = parsed.kind === 'manifest' ? parsed.manifest : parsed.index;
  const contentType = exchange.request.headers['content-type']?.split(';')[0]?.trim();
  if (contentType !== undefined && contentType !== document.mediaType) {
    throw new TaplineError(
      'manifest_invalid',
      `content type ${contentType} is not the media type ${document.mediaType} of the manifest`,
    );
  }
  const digest = digestBytes(bytes, sha256);
  if (reference.kind === 'digest' && reference.digest !== digest) {
    throw new TaplineError('digest_mismatch', `manifest has ${digest}, not ${reference.digest}`);
  }
  assertComplete(state, repository, parsed);
  await using writer = await state.blobs.openWriter();
  await writer.write(bytes);
  await writer.commit(digest);
  state.index.putManifest(
    repository,
    {
      descriptor: describeManifest(parsed, { digest, size: bytes.length }),
      subject: document.subject?.digest,
    },
    reference.kind === 'tag' ? reference.tag : undefined,
  );
  answer(exchange, 201, {
    location: `/v2/${repository}/manifests/${digest}`,
    'docker-content-digest': digest,
    ...(document.subject !== undefined && { 'oci-subject': document.subject.digest }),
  });
}

function deleteManifest(state: RegistryState, exchange: Exchange, named: NamedManifest): void {
  const { repository, reference } = named;
  const deleted =
    reference.kind === 'digest'
      ? state.index.deleteManifest(repository, reference.digest)
      : state.index.deleteTag(repository, reference.tag);
  if (!deleted) throw manifestUnknown(named);
  answer(exchange, 202);
}

/** Everything a manifest points to is in the repository already, but for its subject. */
function assertComplete(state: RegistryState, repository: string, parsed: ParsedManifest): void {
  const missing: Digest[] =
    parsed.kind === 'manifest'
      ? [parsed.manifest.config, ...parsed.manifest.layers]
          .filter(
            ({ digest, urls }) => urls === undefined && !state.index.hasBlob(repository, digest),
          )
          .map(({ digest }) => digest)
      : parsed.index.manifests
          .filter(({ digest }) => state.index.manifest(repository, digest) === undefined)
          .map(({ digest }) => digest);
  if (missing.length > 0) {
    throw new TaplineError(
      'manifest_blob_unknown',
      `manifest refers to ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ', …' : ''}, not in ${repository}`,
      { details: { digests: missing } },
    );
  }
}

function manifestUnknown({ repository, reference }: NamedManifest): TaplineError {
  const name = reference.kind === 'digest' ? reference.digest : reference.tag;
  return new TaplineError('manifest_unknown', `manifest ${name} is not in ${repository}`);
}
