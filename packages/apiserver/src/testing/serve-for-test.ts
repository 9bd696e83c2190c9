import { createHash } from 'node:crypto';
import { createServer, type ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLog, systemClock } from '@tapline/base';
import { taplineResources, tokenResource } from '@tapline/resources';
import { openMemoryStore, type Store } from '@tapline/store';
import { type ApiServer, type ApiServerInit, createApiServer } from '../api-server.ts';
import type { AuditEntry } from '../audit-entry.ts';
import { httpServerLimits } from '../http-server-limits.ts';
import { internalIdentity } from '../identity.ts';
import type { Caller } from '../operations.ts';

/** A server on a free port over plain HTTP, for tests; bearer tokens work there too. */
export interface TestServer extends AsyncDisposable {
  readonly api: ApiServer;
  readonly store: Store;
  readonly url: string;
  readonly port: number;
  readonly audit: readonly AuditEntry[];
  readonly root: Caller;
  /** Makes an access token for somebody. */
  token(user: string, groups: readonly string[], expiresAt?: string): Promise<string>;
  /** Sends a request, as `system:masters` unless `bearer` says who. */
  send(method: string, path: string, options?: SendOptions): Promise<TestAnswer>;
}

export interface SendOptions {
  readonly body?: unknown;
  readonly type?: string;
  readonly bearer?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

const secret = 'a'.repeat(43);

export async function serveForTest(
  init: Partial<ApiServerInit> & { readonly port?: number; readonly http?: ServerOptions } = {},
): Promise<TestServer> {
  const store = init.store ?? openMemoryStore();
  const audit: AuditEntry[] = [];
  const api = await createApiServer({
    definitions: taplineResources,
    clock: systemClock,
    log: silentLog,
    audit: { record: (entry) => void audit.push(entry), written: () => Promise.resolve() },
    version: '0.0.0',
    ...init,
    store,
  });
  const server = createServer({ ...httpServerLimits, ...init.http }, (request, response) => {
    api.handle(request, response);
  });
  server.on('upgrade', (request, socket, head) => api.upgrade(request, socket, head));
  await new Promise<void>((resolve) => {
    server.listen(init.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const root: Caller = { identity: internalIdentity('test') };

  async function token(
    user: string,
    groups: readonly string[],
    expiresAt = '2100-01-01T00:00:00Z',
  ): Promise<string> {
    const hash = createHash('sha256').update(secret).digest('hex');
    const created = await api.operations.create(root, tokenResource, {
      metadata: { generateName: 'token-' },
      spec: { purpose: 'Access', hash, expiresAt, user, groups },
    });
    return `tla.${created.metadata.name}.${secret}`;
  }

  const masters = await token('root', ['system:masters']);
  return {
    api,
    store,
    url,
    port,
    audit,
    root,
    token,
    async send(method, path, options = {}) {
      const { body, type = 'application/json' } = options;
      const bearer = 'bearer' in options ? options.bearer : masters;
      const answer = await fetch(`${url}${path}`, {
        method,
        headers: {
          ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
          ...(body === undefined ? {} : { 'content-type': type }),
          ...options.headers,
        },
        ...(body === undefined
          ? {}
          : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      const json = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : { text };
      return { status: answer.status, headers: answer.headers, body: json };
    },
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
