import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Clock, errorMessage, isTaplineError, type Log, TaplineError } from '@tapline/base';
import { type Descriptor, type Digest, mediaTypes, parseDigest } from '@tapline/oci';
import { isReferrersTag } from '../client/referrers-tag.ts';
import type { RegistryClient } from '../client/registry-client.ts';
import type { Authorize } from '../protocol/authorize.ts';
import { parseByteRange } from '../protocol/byte-range.ts';
import { parseRegistryRoute, type RegistryRoute } from '../protocol/registry-route.ts';
import { BlobFetches } from './blob-fetches.ts';
import { ManifestKeeper } from './manifest-keeper.ts';
import { MirrorStore, type StoredManifest } from './mirror-store.ts';
import { type MirrorUpstream, upstreamOf } from './mirror-upstream.ts';
import { type CacheOutcome, RevalidatedCache } from './revalidated-cache.ts';

export interface MirrorInit {
  readonly upstreams: readonly MirrorUpstream[];
  /** For tags, manifests, and blobs that are on their way. */
  readonly directory: string;
  /** The registry that keeps blobs, past the mirror and with every right. */
  readonly local: Pick<RegistryClient, 'hasBlob' | 'pushBlob' | 'pushManifest'>;
  readonly handleLocally: (request: IncomingMessage, response: ServerResponse) => void;
  readonly authorize: Authorize;
  readonly clock: Clock;
  readonly log: Log;
  readonly onRequest?: (kind: MirrorRequestKind, outcome: MirrorOutcome) => void;
  readonly onFetched?: (bytes: number) => void;
  /** How long a tag that is known waits for its upstream; 1 s unless given. */
  readonly patienceMs?: number;
  /** How long an upstream may take for what is not known; 20 s unless given. */
  readonly deadlineMs?: number;
  readonly awayMs?: number;
  readonly negativeTtlMs?: number;
}

export type MirrorRequestKind = 'blob' | 'manifest' | 'tag' | 'tags' | 'referrers';
export type MirrorOutcome = CacheOutcome | 'local' | 'fetched' | 'absent' | 'failed';

/** Serves repositories of other registries, fetched when they are asked for and kept. */
export interface Mirror extends AsyncDisposable {
  /** Whether the request is for a mirrored repository; then it is answered. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
}

type Place = Exclude<RegistryRoute, { kind: 'ping' | 'catalog' }> & {
  readonly upstream: MirrorUpstream;
  readonly name: string;
};

const defaultTagTtlMs = 5 * 60_000;
const maxFetches = 64;

export async function createMirror(init: MirrorInit): Promise<Mirror> {
  const { clock, log, local } = init;
  await using opened = new AsyncDisposableStack();
  const store = opened.use(new MirrorStore(init.directory));
  const keeper = new ManifestKeeper({ local, log });
  const fetches = opened.use(
    await BlobFetches.open({
      directory: join(init.directory, 'partial'),
      local,
      log,
      limit: maxFetches,
      onFetched: (bytes) => init.onFetched?.(bytes),
      onStored: (repository) => void keeper.stored(repository),
    }),
  );
  const cache = new RevalidatedCache({
    store,
    clock,
    patienceMs: init.patienceMs ?? 1000,
    deadlineMs: init.deadlineMs ?? 20_000,
    awayMs: init.awayMs ?? 10_000,
    negativeTtlMs: init.negativeTtlMs ?? 60_000,
  });
  const count = (kind: MirrorRequestKind, outcome: MirrorOutcome): void =>
    init.onRequest?.(kind, outcome);

  function placeOf(request: IncomingMessage): Place | undefined {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    let route: RegistryRoute;
    try {
      route = parseRegistryRoute(decodeURIComponent(path));
    } catch {
      // The registry says what is wrong with it.
      return undefined;
    }
    const found = 'repository' in route ? upstreamOf(init.upstreams, route.repository) : undefined;
    return found === undefined || !('repository' in route) ? undefined : { ...route, ...found };
  }

  async function respond(
    place: Place,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { method = '' } = request;
    try {
      const access = { repository: place.repository, action: 'pull' } as const;
      // Refusals and their challenges are the registry's.
      if ((await init.authorize(request, access)) !== 'allowed') {
        init.handleLocally(request, response);
        return;
      }
      if (method !== 'GET' && method !== 'HEAD') {
        throw new TaplineError('denied', `${place.repository} is a mirror: push to its origin`);
      }
      await serve(place, request, response);
    } catch (error) {
      count(kindOf(place), isTaplineError(error, 'manifest_unknown') ? 'absent' : 'failed');
      answerFailure(request, response, error);
    }
  }

  function answerFailure(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (response.headersSent || request.destroyed) {
      // Only a cut connection says that the rest is not what it should be.
      log.info('mirror: answer was cut', { path: request.url?.split('?', 1)[0], error });
      response.destroy();
      return;
    }
    const known = isTaplineError(error) ? failures[error.code] : undefined;
    if (known === undefined) log.error('mirror: request failed', { error });
    const [status, code] = known ?? [500, 'UNKNOWN'];
    const message = known === undefined ? 'internal error' : errorMessage(error);
    if (!request.complete) response.setHeader('connection', 'close');
    answer(request, response, { status, body: { errors: [{ code, message }] } });
  }

  async function serve(
    place: Place,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    switch (place.kind) {
      case 'manifest':
        return await serveManifest(place, request, response);
      case 'blob':
        return await serveBlob(place, request, response);
      case 'tags':
        return await serveTags(place, request, response);
      case 'referrers':
        return await serveReferrers(place, request, response);
      default:
        throw new TaplineError('denied', `${place.repository} is a mirror: push to its origin`);
    }
  }

  async function serveManifest(
    place: Extract<Place, { kind: 'manifest' }>,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { reference } = place;
    const digest =
      reference.kind === 'digest' ? reference.digest : await digestOfTag(place, reference.tag);
    const found = await manifestOf(place, digest);
    keeper.served(place.repository, digest, found);
    const headers = {
      'content-type': found.mediaType,
      'content-length': found.bytes.length,
      'docker-content-digest': digest,
      etag: `"${digest}"`,
    };
    if (request.headers['if-none-match']?.includes(headers.etag) === true) {
      response.writeHead(304, headers).end();
      return;
    }
    response.writeHead(200, headers);
    response.end(request.method === 'HEAD' ? undefined : found.bytes);
  }

  async function digestOfTag(place: Place, tag: string): Promise<Digest> {
    const { upstream, name, repository } = place;
    const { value, outcome } = await cache.get({
      key: `tag ${repository}:${tag}`,
      source: upstream.prefix,
      ttlMs: upstream.tagTtlMs ?? defaultTagTtlMs,
      async load(signal) {
        const found = await upstream.client.resolve(name, tag, { signal });
        if (found === undefined) return undefined;
        // The tag is of use only together with its manifest.
        await loadManifest(place, found.digest, signal);
        return found.digest;
      },
    });
    if (typeof value !== 'string') {
      throw new TaplineError('manifest_unknown', `manifest ${tag} is not in ${repository}`);
    }
    count('tag', outcome);
    return parseDigest(value);
  }

  async function manifestOf(place: Place, digest: Digest): Promise<StoredManifest> {
    const { repository, upstream } = place;
    const stored = store.manifest(repository, digest, clock.now());
    if (stored !== undefined) {
      count('manifest', 'local');
      return stored;
    }
    // Not to be kept as an answer: the manifest itself is, and does not change.
    const { value } = await cache.get({
      key: `manifest ${repository}@${digest}`,
      source: upstream.prefix,
      ttlMs: 0,
      load: (signal) => loadManifest(place, digest, signal),
    });
    const loaded =
      value === undefined ? undefined : store.manifest(repository, digest, clock.now());
    if (loaded !== undefined) {
      count('manifest', 'fetched');
      return loaded;
    }
    throw new TaplineError('manifest_unknown', `manifest ${digest} is not in ${repository}`);
  }

  /** Fetches a manifest by its digest, so that it is verified, and keeps it. */
  async function loadManifest(
    place: Place,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<true | undefined> {
    const { upstream, name, repository } = place;
    const nowMs = clock.now();
    if (store.manifest(repository, digest, nowMs) !== undefined) return true;
    try {
      const { mediaType, bytes } = await upstream.client.manifest(name, digest, { signal });
      store.putManifest(repository, { digest, mediaType, bytes }, nowMs);
      return true;
    } catch (error) {
      if (isTaplineError(error) && error.details['status'] === 404) return undefined;
      throw error;
    }
  }

  async function serveBlob(
    place: Extract<Place, { kind: 'blob' }>,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { repository, digest } = place;
    if (await local.hasBlob(repository, digest)) {
      count('blob', 'local');
      init.handleLocally(request, response);
      return;
    }
    if (request.method === 'HEAD') {
      const size = await sizeAtUpstream(place);
      response.writeHead(200, blobHeaders(digest, size)).end();
      return;
    }
    const spool = await fetches.fetch(place);
    if (spool === undefined) throw blobUnknown(place);
    const { size } = spool;
    const range = parseByteRange(request.headers.range, size);
    if (range.kind === 'unsatisfiable') {
      response.writeHead(416, { 'content-range': `bytes */${size}`, 'content-length': 0 }).end();
      return;
    }
    const { start, end } = range.kind === 'part' ? range : { start: 0, end: size };
    response.writeHead(range.kind === 'part' ? 206 : 200, {
      ...blobHeaders(digest, end - start),
      ...(range.kind === 'part' && { 'content-range': `bytes ${start}-${end - 1}/${size}` }),
    });
    count('blob', 'fetched');
    await pipeline(Readable.from(spool.follow({ start, end }), { objectMode: false }), response);
  }

  async function sizeAtUpstream(place: Extract<Place, { kind: 'blob' }>): Promise<number> {
    const { value } = await cache.get({
      key: `size ${place.repository}@${place.digest}`,
      source: place.upstream.prefix,
      ttlMs: defaultTagTtlMs,
      load: (signal) => place.upstream.client.blobSize(place.name, place.digest, { signal }),
    });
    if (typeof value === 'number') return value;
    throw blobUnknown(place);
  }

  async function serveTags(
    place: Place,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { upstream, name, repository } = place;
    const { value, outcome } = await cache.get({
      key: `tags ${repository}`,
      source: upstream.prefix,
      ttlMs: upstream.tagTtlMs ?? defaultTagTtlMs,
      load: async (signal) => {
        const tags = await absentAsUndefined(() => upstream.client.tags(name, { signal }));
        return tags?.filter((tag) => !isReferrersTag(tag)).toSorted();
      },
    });
    if (!Array.isArray(value)) {
      throw new TaplineError('name_unknown', `repository ${repository} does not exist`);
    }
    count('tags', outcome);
    const query = new URL(request.url ?? '', 'http://mirror').searchParams;
    const last = query.get('last') ?? '';
    const asked = query.get('n') ?? '';
    const limit = /^\d{1,9}$/.test(asked) ? Number(asked) : Number.POSITIVE_INFINITY;
    const after = value.map(String).filter((tag) => tag > last);
    const tags = after.slice(0, limit);
    const more = after.length > tags.length && tags.length > 0;
    const next = new URLSearchParams({ n: asked, last: tags.at(-1) ?? last }).toString();
    answer(request, response, {
      status: 200,
      body: { name: repository, tags },
      headers: more ? { link: `</v2/${repository}/tags/list?${next}>; rel="next"` } : {},
    });
  }

  async function serveReferrers(
    place: Extract<Place, { kind: 'referrers' }>,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { upstream, name, repository, digest } = place;
    const { value, outcome } = await cache.get({
      key: `referrers ${repository}@${digest}`,
      source: upstream.prefix,
      ttlMs: upstream.tagTtlMs ?? defaultTagTtlMs,
      load: (signal) => upstream.client.referrers(name, digest, { signal }),
    });
    count('referrers', outcome);
    const type = new URL(request.url ?? '', 'http://mirror').searchParams.get('artifactType');
    const all = (value ?? []) as readonly Descriptor[];
    const manifests = type === null ? all : all.filter(({ artifactType }) => artifactType === type);
    answer(request, response, {
      status: 200,
      body: { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests },
      headers: {
        'content-type': mediaTypes.ociIndex,
        ...(type !== null && { 'oci-filters-applied': 'artifactType' }),
      },
    });
  }

  const owned = opened.move();
  return {
    handle(request, response) {
      const place = placeOf(request);
      if (place === undefined) return false;
      void respond(place, request, response);
      return true;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const failures: Readonly<Record<string, readonly [status: number, code: string]>> = {
  blob_unknown: [404, 'BLOB_UNKNOWN'],
  manifest_unknown: [404, 'MANIFEST_UNKNOWN'],
  name_unknown: [404, 'NAME_UNKNOWN'],
  denied: [403, 'DENIED'],
  registry_denied: [403, 'DENIED'],
  // Not 401: it is the mirror that is not logged in at its upstream.
  registry_unauthorized: [403, 'DENIED'],
  upstream_unreachable: [504, 'UNKNOWN'],
  registry_unreachable: [504, 'UNKNOWN'],
  registry_error: [502, 'UNKNOWN'],
  digest_mismatch: [502, 'DIGEST_INVALID'],
  too_many_uploads: [429, 'TOOMANYREQUESTS'],
};

function kindOf({ kind }: Place): MirrorRequestKind {
  return kind === 'upload' || kind === 'uploads' ? 'blob' : kind;
}

function blobUnknown({
  repository,
  digest,
}: {
  readonly repository: string;
  readonly digest: Digest;
}): TaplineError {
  return new TaplineError('blob_unknown', `blob ${digest} is not in ${repository}`);
}

function blobHeaders(digest: Digest, length: number): Record<string, string | number> {
  return {
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
    'content-length': length,
    'docker-content-digest': digest,
    etag: `"${digest}"`,
  };
}

async function absentAsUndefined<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isTaplineError(error) && error.details['status'] === 404) return undefined;
    throw error;
  }
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  {
    status,
    body,
    headers = {},
  }: {
    readonly status: number;
    readonly body: unknown;
    readonly headers?: Readonly<Record<string, string>>;
  },
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}
