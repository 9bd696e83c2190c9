import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, errorMessage, type Log, TaplineError } from '@tapline/base';
import type { Authorize, RegistryAccess } from './authorize.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import { answer, answerJson, type Exchange, type RegistryState } from './exchange.ts';
import { registryErrorAnswer } from './registry-error.ts';
import { type ImageLink, linkImage } from './link-image.ts';
import { parseRegistryRoute, type RegistryRoute } from './registry-route.ts';
import { RepositoryIndex } from '../storage/repository-index.ts';
import { serveBlob } from './serve-blob.ts';
import { serveReferrers, serveTags } from './serve-lists.ts';
import { serveManifest } from './serve-manifest.ts';
import { openUpload, serveUpload } from './serve-uploads.ts';
import { UploadSessions } from '../storage/upload-sessions.ts';

export interface RegistryServerInit {
  readonly blobs: BlobStore;
  /** Folder of the database that says which repository has what. */
  readonly directory: string;
  readonly authorize: Authorize;
  readonly log: Log;
  readonly clock: Clock;
  /** `WWW-Authenticate` of 401 answers; `Basic realm="tapline"` unless given. */
  readonly challenge?: (request: IncomingMessage, access: RegistryAccess | undefined) => string;
  /** Uploads under way at once; 256 unless given. */
  readonly maxUploads?: number;
}

/** An OCI distribution 1.1 registry to mount at `/v2/` of an HTTP server; it owns no socket. */
export interface RegistryServer extends AsyncDisposable {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Serves an image that is in the blob store already; nothing is copied. */
  link(image: ImageLink): Promise<void>;
}

const uploadIdleMs = 60 * 60 * 1000;

export function createRegistryServer(init: RegistryServerInit): RegistryServer {
  const { blobs, clock, log } = init;
  const index = new RepositoryIndex(init.directory);
  const uploads = new UploadSessions({
    blobs,
    clock,
    limit: init.maxUploads ?? 256,
    idleMs: uploadIdleMs,
  });
  const state: RegistryState = { blobs, index, uploads, clock, log };
  const challenge = init.challenge ?? (() => 'Basic realm="tapline"');

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '', search = ''] = (request.url ?? '').split('?', 2);
    const exchange: Exchange = {
      request,
      response,
      query: new URLSearchParams(search),
      access: async (access) => await init.authorize(request, access),
    };
    response.setHeader('docker-distribution-api-version', 'registry/2.0');
    try {
      const route = parseRegistryRoute(decodePath(path));
      await assertAllowed(exchange, accessOf(route, request.method ?? ''));
      await dispatch(state, exchange, route);
    } catch (error) {
      answerError(exchange, error, { challenge, log });
    }
  }

  return {
    handle(request, response) {
      void respond(request, response);
    },
    link: (image) => linkImage(state, image),
    async [Symbol.asyncDispose]() {
      await uploads[Symbol.asyncDispose]();
      index[Symbol.dispose]();
    },
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
    case 'blob':
      assertMethod(exchange, ['GET', 'HEAD']);
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
  const { repository } = route;
  if (route.kind === 'uploads' || route.kind === 'upload') return { repository, action: 'push' };
  if (method === 'GET' || method === 'HEAD') return { repository, action: 'pull' };
  return { repository, action: method === 'DELETE' ? 'delete' : 'push' };
}

async function assertAllowed(exchange: Exchange, access: RegistryAccess): Promise<void> {
  const authorization = await exchange.access(access);
  if (authorization === 'allowed') return;
  const what = `${access.action} ${access.repository ?? 'the registry'}`;
  throw authorization === 'unauthenticated'
    ? new TaplineError('unauthorized', `authentication is required to ${what}`, {
        details: { access },
      })
    : new TaplineError('denied', `this identity may not ${what}`);
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
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw new TaplineError('route_unknown', `path ${path.slice(0, 200)} is not percent-encoded`, {
      cause,
    });
  }
}

function answerError(
  exchange: Exchange,
  error: unknown,
  options: {
    readonly challenge: NonNullable<RegistryServerInit['challenge']>;
    readonly log: Log;
  },
): void {
  const { request, response } = exchange;
  const known = registryErrorAnswer(error);
  const context = { method: request.method, path: request.url?.split('?', 1)[0], error };
  if (response.headersSent || (request.destroyed && !request.complete)) {
    // The peer went away or the blob could not be read to its end: only a cut connection says so.
    options.log.info('registry: answer was cut', context);
    response.destroy();
    return;
  }
  if (known === undefined) options.log.error('registry: request failed', context);
  const { status, code } = known ?? { status: 500, code: 'UNKNOWN' };
  const message = known === undefined ? 'internal error' : errorMessage(error);
  const detail = error instanceof TaplineError && known !== undefined ? error.details : {};
  const body = Buffer.from(JSON.stringify({ errors: [{ code, message, detail }] }));
  // What is left of the body would be read as the next request.
  if (!request.complete) response.setHeader('connection', 'close');
  if (status === 401) {
    const access = detail['access'] as RegistryAccess | undefined;
    response.setHeader('www-authenticate', options.challenge(request, access));
  }
  if (status === 416) {
    const size = Number(detail['size'] ?? 0);
    response.setHeader('range', `0-${Math.max(size - 1, 0)}`);
    response.setHeader('location', exchange.request.url?.split('?', 1)[0] ?? '');
  }
  if (request.method === 'HEAD') {
    answer(exchange, status);
    return;
  }
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}
