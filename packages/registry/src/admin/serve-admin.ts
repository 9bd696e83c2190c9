import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorMessage, isTaplineError, type Log, TaplineError } from '@tapline/base';
import type { RegistryAdmin } from './registry-admin.ts';

/** Decides on each request; what is done here is for administrators alone. */
export type AuthorizeAdmin = (request: IncomingMessage) => 'allowed' | 'unauthenticated' | 'denied';

const statuses: Readonly<Record<string, number>> = {
  unauthorized: 401,
  denied: 403,
  not_found: 404,
  method_not_allowed: 405,
  bad_request: 400,
  collection_running: 409,
  storage_full: 507,
};
const maxGraceSeconds = 7 * 24 * 60 * 60;

/** Serves docs/protocols/registry-admin.md below `/registry/v1/`. */
export function createAdminHandler(init: {
  readonly admin: RegistryAdmin;
  readonly authorize: AuthorizeAdmin;
  readonly log: Log;
}): (request: IncomingMessage, response: ServerResponse) => void {
  const { admin, authorize, log } = init;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://registry');
    assertAllowed(authorize(request), pathname);
    const route = `${request.method ?? ''} ${pathname}`;
    switch (route) {
      case 'GET /registry/v1/repositories':
        return send(
          response,
          200,
          await admin.repositories({
            last: searchParams.get('last') ?? '',
            limit: integer(searchParams, 'n', { fallback: 100, min: 1, max: 1000 }),
          }),
        );
      case 'GET /registry/v1/usage':
        return send(response, 200, await admin.usage());
      case 'POST /registry/v1/gc': {
        const graceSeconds = searchParams.has('graceSeconds')
          ? integer(searchParams, 'graceSeconds', { fallback: 0, min: 0, max: maxGraceSeconds })
          : undefined;
        return send(
          response,
          200,
          await admin.collect({
            dryRun: flag(searchParams, 'dryRun'),
            untagged: flag(searchParams, 'untagged'),
            ...(graceSeconds !== undefined && { graceMs: graceSeconds * 1000 }),
          }),
        );
      }
      case 'POST /registry/v1/scrub':
        return await scrub(response, flag(searchParams, 'repair'));
      default:
        throw isServed(pathname)
          ? new TaplineError('method_not_allowed', `${pathname} does not take ${request.method}`)
          : new TaplineError('not_found', `nothing is served at ${pathname}`);
    }
  }

  async function scrub(response: ServerResponse, repair: boolean): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort(new TaplineError('stopped', 'nobody listens')));
    const write = async (event: unknown): Promise<void> => {
      const flowing = response.write(`${JSON.stringify(event)}\n`);
      if (!flowing && !response.destroyed) {
        await new Promise((resolve) => {
          response.once('drain', resolve);
          response.once('close', resolve);
        });
      }
    };
    response.writeHead(200, {
      'content-type': 'application/x-ndjson',
      'cache-control': 'no-store',
    });
    try {
      for await (const event of admin.scrub({ repair, signal: gone.signal })) await write(event);
    } catch (error) {
      if (gone.signal.aborted) return;
      log.error('registry: scrub failed', { error });
      const code = isTaplineError(error) ? error.code : 'internal';
      await write({ kind: 'error', code, message: errorMessage(error) });
    }
    response.end();
  }

  return (request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) {
        response.destroy();
        return;
      }
      const known = isTaplineError(error) ? statuses[error.code] : undefined;
      if (known === undefined) log.error('registry: administration failed', { error });
      send(response, known ?? 500, {
        code: known === undefined || !isTaplineError(error) ? 'internal' : error.code,
        message: known === undefined ? 'internal error' : errorMessage(error),
        ...(isTaplineError(error) && error.hint !== undefined && { hint: error.hint }),
      });
    });
  };
}

function isServed(pathname: string): boolean {
  return /^\/registry\/v1\/(?:repositories|usage|gc|scrub)$/.test(pathname);
}

function assertAllowed(authorization: ReturnType<AuthorizeAdmin>, pathname: string): void {
  if (authorization === 'unauthenticated') {
    throw new TaplineError('unauthorized', `authentication is required for ${pathname}`);
  }
  if (authorization === 'denied') {
    throw new TaplineError('denied', `only administrators may use ${pathname}`);
  }
}

function flag(query: URLSearchParams, name: string): boolean {
  const text = query.get(name) ?? 'false';
  if (text === 'true' || text === 'false') return text === 'true';
  throw new TaplineError(
    'bad_request',
    `${name} ${JSON.stringify(text.slice(0, 40))} is not true or false`,
  );
}

function integer(
  query: URLSearchParams,
  name: string,
  range: { readonly fallback: number; readonly min: number; readonly max: number },
): number {
  const text = query.get(name);
  if (text === null) return range.fallback;
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value >= range.min && value <= range.max) return value;
  throw new TaplineError(
    'bad_request',
    `${name} ${JSON.stringify(text.slice(0, 40))} is not an integer from ${range.min} to ${range.max}`,
  );
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    'cache-control': 'no-store',
  });
  response.end(bytes);
}
