import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, type Log, TaplineError } from '@tapline/base';
import type { Digest } from '@tapline/oci';
import { createRegistryAdmin } from '../admin/create-registry-admin.ts';
import type { RegistryAdmin } from '../admin/registry-admin.ts';
import { Catalog } from '../catalog/catalog.ts';
import type { Quota } from '../catalog/quota.ts';
import { readManifestBytes } from '../storage/read-manifest-bytes.ts';
import type { BlobReplica } from '../scrub/blob-replica.ts';
import type { FileBlobStore } from '../storage/file-blob-store.ts';
import { FreeSpace } from '../storage/free-space.ts';
import { UploadSessions } from '../storage/upload-sessions.ts';
import { answerError } from './answer-error.ts';
import type { Authorize, RegistryAccess } from './authorize.ts';
import { answerJson, type Exchange, type RegistryState } from './exchange.ts';
import { FileSender } from './file-sender.ts';
import { type ImageLink, linkImage } from './link-image.ts';
import { ManifestCache } from './manifest-cache.ts';
import { observeAnswer } from './observe-answer.ts';
import type { RegistryAudit } from './registry-audit.ts';
import { type RegistryObserver, silentObserver } from './registry-observer.ts';
import { parseRegistryRoute, type RegistryRoute } from './registry-route.ts';
import { serveBlob } from './serve-blob.ts';
import { serveCatalog } from './serve-catalog.ts';
import { serveReferrers, serveTags } from './serve-lists.ts';
import { serveManifest } from './serve-manifest.ts';
import { openUpload, serveUpload } from './serve-uploads.ts';

export interface RegistryServerInit {
  readonly blobs: FileBlobStore;
  /** Folder of the database that says which repository has what. */
  readonly directory: string;
  readonly authorize: Authorize;
  readonly log: Log;
  readonly clock: Clock;
  /** `WWW-Authenticate` of 401 answers; `Basic realm="tapline"` unless given. */
  readonly challenge?: (request: IncomingMessage, access: RegistryAccess | undefined) => string;
  /** Uploads under way at once; 256 unless given. */
  readonly maxUploads?: number;
  /** An upload that got nothing for this long is dropped; 24 hours unless given. */
  readonly uploadIdleMs?: number;
  /** How long what nothing refers to stays after somebody counted on it; an hour unless given. */
  readonly graceMs?: number;
  /** Limits on bytes; none unless given. */
  readonly quotas?: readonly Quota[];
  /** Left free on the disk, for the catalog and to make room; 32 MiB unless given. */
  readonly reserveBytes?: number;
  /** Where a scrub fetches what is damaged. */
  readonly replicas?: () => readonly BlobReplica[];
  /** Digests that stay although nothing in the registry refers to them. */
  readonly isInUse?: (repository: string, digest: Digest) => boolean;
  readonly audit?: RegistryAudit;
  readonly observer?: RegistryObserver;
}

/** An OCI distribution 1.1 registry to mount at `/v2/` of an HTTP server; it owns no socket. */
export interface RegistryServer extends AsyncDisposable {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Serves an image that is in the blob store already; nothing is copied. */
  link(image: ImageLink): Promise<void>;
  readonly admin: RegistryAdmin;
}

const hour = 60 * 60 * 1000;
const defaultReserveBytes = 32 * 1024 * 1024;
const cachedManifestBytes = 16 * 1024 * 1024;

export async function createRegistryServer(init: RegistryServerInit): Promise<RegistryServer> {
  const { blobs, clock, log, audit = () => undefined, observer = silentObserver } = init;
  const { graceMs = hour, reserveBytes = defaultReserveBytes } = init;
  await using opened = new AsyncDisposableStack();
  const catalog = opened.use(
    await Catalog.open({
      directory: init.directory,
      quotas: init.quotas ?? [],
      readManifest: (digest) => readManifestBytes(blobs, digest),
      sizeOf: (digest) => blobs.sizeOnDisk(digest),
      now: () => clock.now(),
    }),
  );
  const space = new FreeSpace({ directory: blobs.directory, reserveBytes, clock });
  const uploads = opened.use(
    await UploadSessions.open({
      blobs,
      clock,
      limit: init.maxUploads ?? 256,
      idleMs: init.uploadIdleMs ?? 24 * hour,
      async assertRoom(repository, size, more) {
        if (catalog.quotas.length > 0) catalog.assertRoom(repository, size + more);
        await space.assertRoom(more);
      },
      async link(repository, blob) {
        const now = Math.floor(clock.now());
        await catalog.write({ kind: 'link-blob', repository, blob, now });
      },
    }),
  );
  const state: RegistryState = {
    blobs,
    catalog,
    uploads,
    space,
    graceMs,
    clock,
    log,
    audit,
    observer,
    manifests: new ManifestCache(cachedManifestBytes),
    files: new FileSender(),
  };
  const admin = createRegistryAdmin(state, {
    replicas: init.replicas ?? (() => []),
    isInUse: init.isInUse ?? (() => false),
  });
  const challenge = init.challenge ?? (() => 'Basic realm="tapline"');

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '';
    const mark = url.indexOf('?');
    const exchange: Exchange = {
      request,
      response,
      query: new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1)),
      access: async (access) => await init.authorize(request, access),
    };
    response.setHeader('docker-distribution-api-version', 'registry/2.0');
    const observed = observeAnswer(exchange, { clock, observer });
    try {
      const route = parseRegistryRoute(decodePath(mark === -1 ? url : url.slice(0, mark)));
      observed.route = route.kind;
      await assertAllowed(state, exchange, accessOf(route, request.method ?? ''));
      await dispatch(state, exchange, route);
    } catch (error) {
      await answerError(exchange, error, { challenge, log, clock });
    }
  }

  const owned = opened.move();
  return {
    handle(request, response) {
      void respond(request, response);
    },
    link: (image) => linkImage(state, image),
    admin,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function dispatch(
  state: RegistryState,
  exchange: Exchange,
  route: RegistryRoute,
): Promise<void> {
  switch (route.kind) {
    case 'ping':
      assertMethod(exchange, ['GET', 'HEAD']);
      return answerJson(exchange, {});
    case 'catalog':
      assertMethod(exchange, ['GET', 'HEAD']);
      return await serveCatalog(state, exchange);
    case 'blob':
      return await serveBlob(state, exchange, route);
    case 'uploads':
      assertMethod(exchange, ['POST']);
      return await openUpload(state, exchange, route.repository);
    case 'upload':
      return await serveUpload(state, exchange, route);
    case 'manifest':
      return await serveManifest(state, exchange, route);
    case 'tags':
      assertMethod(exchange, ['GET', 'HEAD']);
      return serveTags(state, exchange, route.repository);
    case 'referrers':
      assertMethod(exchange, ['GET', 'HEAD']);
      return serveReferrers(state, exchange, route);
  }
}

function accessOf(route: RegistryRoute, method: string): RegistryAccess {
  if (route.kind === 'ping') return { repository: undefined, action: 'pull' };
  if (route.kind === 'catalog') return { repository: undefined, action: 'list' };
  const { repository } = route;
  if (route.kind === 'uploads' || route.kind === 'upload') return { repository, action: 'push' };
  if (method === 'GET' || method === 'HEAD') return { repository, action: 'pull' };
  return { repository, action: method === 'DELETE' ? 'delete' : 'push' };
}

async function assertAllowed(
  state: RegistryState,
  exchange: Exchange,
  access: RegistryAccess,
): Promise<void> {
  const authorization = await exchange.access(access);
  if (authorization === 'allowed') return;
  const { action, repository } = access;
  const what = `${action} ${repository ?? 'the registry'}`;
  const error =
    authorization === 'unauthenticated'
      ? new TaplineError('unauthorized', `authentication is required to ${what}`, {
          details: { access },
        })
      : new TaplineError('denied', `this identity may not ${what}`);
  if (action !== 'pull' && action !== 'list') {
    await state.audit({
      request: exchange.request,
      verb: action,
      what: 'content',
      repository,
      reference: undefined,
      code: authorization === 'unauthenticated' ? 401 : 403,
      reason: error.message,
    });
  }
  throw error;
}

function assertMethod({ request }: Exchange, methods: readonly string[]): void {
  if (!methods.includes(request.method ?? '')) {
    throw new TaplineError(
      'unsupported',
      `method ${request.method ?? ''} is none of ${methods.join(', ')}`,
    );
  }
}

function decodePath(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw new TaplineError('route_unknown', `path ${path.slice(0, 200)} is not percent-encoded`, {
      cause,
    });
  }
}
