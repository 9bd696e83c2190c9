import { readFile } from 'node:fs/promises';
import { isSystemError, TaplineError } from '@tapline/base';
import { isTag, maxManifestBytes, type ParsedManifest, parseManifest } from '@tapline/oci';
import { needsOf } from '../catalog/needs-of.ts';
import { algorithmOf, digestWith } from '../storage/digest-algorithm.ts';
import { readBody } from '../storage/read-body.ts';
import { describeManifest } from './describe-manifest.ts';
import { etagMatches } from './etag-matches.ts';
import { answer, bodyOf, type Exchange, type RegistryState } from './exchange.ts';
import type { CachedManifest } from './manifest-cache.ts';
import type { ManifestReference } from './registry-route.ts';

export interface NamedManifest {
  readonly repository: string;
  readonly reference: ManifestReference;
}

const maxTagsOfPush = 32;

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
      return await deleteManifest(state, exchange, named);
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
  const { descriptor, bytes, etag } =
    state.manifests.get(named.repository, nameOf(named)) ?? (await readManifest(state, named));
  const headers = {
    'content-type': descriptor.mediaType,
    'docker-content-digest': descriptor.digest,
    etag,
  };
  // Whoever asks for one by its digest may be about to make it part of an index.
  if (named.reference.kind === 'digest') state.blobs.leases.touch(descriptor.digest);
  const { headers: asked } = request;
  if (etagMatches(asked['if-none-match'], etag)) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(200, { ...headers, 'content-length': bytes.length });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  response.end(bytes);
  state.observer.sent(bytes.length);
}

async function readManifest(state: RegistryState, named: NamedManifest): Promise<CachedManifest> {
  const { blobs, catalog, manifests } = state;
  const { repository, reference } = named;
  const { epoch } = manifests;
  const digest =
    reference.kind === 'digest' ? reference.digest : catalog.tag(repository, reference.tag);
  const descriptor = digest === undefined ? undefined : catalog.manifest(repository, digest);
  if (descriptor === undefined) throw manifestUnknown(named);
  try {
    const bytes = await readFile(blobs.pathOf(descriptor.digest));
    const manifest = { descriptor, bytes, etag: `"${descriptor.digest}"` };
    manifests.put(repository, nameOf(named), manifest, { epoch });
    return manifest;
  } catch (error) {
    // Damaged content is withdrawn until it comes back.
    if (isSystemError(error, 'ENOENT')) throw manifestUnknown(named);
    throw error;
  }
}

async function putManifest(
  state: RegistryState,
  exchange: Exchange,
  named: NamedManifest,
): Promise<void> {
  const { blobs, catalog, clock, manifests, space } = state;
  const { repository, reference } = named;
  const { query, request } = exchange;
  const tags = [
    ...(reference.kind === 'tag' ? [reference.tag] : []),
    ...requestedTags(query, reference),
  ];
  const bytes = await readBody(bodyOf(exchange), {
    maxBytes: maxManifestBytes,
    code: 'manifest_too_large',
  });
  const parsed = parseManifest(bytes);
  const document = documentOf(parsed);
  const contentType = request.headers['content-type']?.split(';')[0]?.trim();
  if (contentType !== undefined && contentType !== document.mediaType) {
    throw new TaplineError(
      'manifest_invalid',
      `content type ${contentType} is not the media type ${document.mediaType} of the manifest`,
    );
  }
  const digest = digestWith(
    reference.kind === 'digest' ? algorithmOf(reference.digest) : 'sha256',
    bytes,
  );
  if (reference.kind === 'digest' && reference.digest !== digest) {
    throw new TaplineError('digest_mismatch', `manifest has ${digest}, not ${reference.digest}`);
  }
  await space.assertRoom(bytes.length);
  const subject = document.subject?.digest;
  const descriptor = describeManifest(parsed, { digest, size: bytes.length });
  await blobs.leases.holding(digest, async () => {
    if ((await blobs.sizeOnDisk(digest)) !== bytes.length) {
      await using writer = await blobs.openWriter();
      await writer.write(bytes);
      await writer.commit(digest);
    }
    await catalog.write({
      kind: 'put-image',
      repository,
      blobs: [],
      manifests: [{ descriptor, subject, needs: needsOf(parsed) }],
      tags,
      now: Math.floor(clock.now()),
    });
  });
  manifests.forget(repository);
  state.observer.received(bytes.length);
  const change = { verb: 'push', what: 'manifest', repository, reference: digest } as const;
  await state.audit({ request, ...change, tags, code: 201 });
  answer(exchange, 201, {
    location: `/v2/${repository}/manifests/${digest}`,
    'docker-content-digest': digest,
    ...(subject !== undefined && { 'oci-subject': subject }),
    ...(reference.kind === 'digest' && tags.length > 0 && { 'oci-tag': tags.join(', ') }),
  });
}

/** `?tag=` of a push by digest, as often as there are tags. */
function requestedTags(query: URLSearchParams, reference: ManifestReference): readonly string[] {
  const tags = reference.kind === 'digest' ? query.getAll('tag') : [];
  const wrong = tags.find((tag) => !isTag(tag));
  if (wrong !== undefined || tags.length > maxTagsOfPush) {
    throw new TaplineError(
      'tag_invalid',
      wrong === undefined
        ? `${tags.length} tags, and a push takes ${maxTagsOfPush}`
        : `tag ${JSON.stringify(wrong.slice(0, 160))} is not one of OCI distribution 1.1`,
    );
  }
  return tags;
}

async function deleteManifest(
  state: RegistryState,
  exchange: Exchange,
  named: NamedManifest,
): Promise<void> {
  const { catalog, manifests } = state;
  const { repository, reference } = named;
  const changes = await catalog.write(
    reference.kind === 'digest'
      ? {
          kind: 'delete-manifest',
          repository,
          digest: reference.digest,
          now: Math.floor(state.clock.now()),
        }
      : { kind: 'delete-tag', repository, tag: reference.tag },
  );
  if (changes === 0) throw manifestUnknown(named);
  manifests.forget(repository);
  await state.audit({
    request: exchange.request,
    verb: 'delete',
    what: reference.kind === 'digest' ? 'manifest' : 'tag',
    repository,
    reference: nameOf(named),
    code: 202,
  });
  answer(exchange, 202);
}

function documentOf(parsed: ParsedManifest) {
  return parsed.kind === 'manifest' ? parsed.manifest : parsed.index;
}

function nameOf({ reference }: NamedManifest): string {
  return reference.kind === 'digest' ? reference.digest : reference.tag;
}

function manifestUnknown(named: NamedManifest): TaplineError {
  return new TaplineError(
    'manifest_unknown',
    `manifest ${nameOf(named)} is not in ${named.repository}`,
  );
}
