import { execFileSync } from 'node:child_process';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ManualClock, silentLog, systemClock } from '@tapline/base';

import { haveProgram, startDockerRegistry, temporaryFolder } from '@tapline/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createRegistryClient } from '../client/create-registry-client.ts';
import type { RegistryCredentials } from '../client/registry-credentials.ts';
import type { RegistryAccess } from '../protocol/authorize.ts';
import { digestWith } from '../storage/digest-algorithm.ts';
import { type RunningRegistry, startRegistry } from '../start-registry.ts';
import { newSigningKey } from './signing-key.ts';
import { tokenChallenge } from './token-challenge.ts';
import { createTokenService, type TokenEvent, type TokenService } from './token-service.ts';

interface Account {
  readonly name: string;
  readonly pull: RegExp;
  readonly push: RegExp;
}

const accounts: Readonly<Record<string, Account>> = {
  'the password of dana': { name: 'dana', pull: /^team\//, push: /^team\/own$/ },
  'the password of root': { name: 'root', pull: /^/, push: /^/ },
};
const service = 'registry.test';
const dana: RegistryCredentials = {
  kind: 'basic',
  username: 'dana',
  password: 'the password of dana',
};
const root: RegistryCredentials = { ...dana, username: 'root', password: 'the password of root' };

function mayDo({ pull, push }: Account, { repository = '', action }: RegistryAccess): boolean {
  return (action === 'pull' ? pull : push).test(repository);
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

const key = newSigningKey();
let clock: ManualClock;
let events: TokenEvent[];
let tokens: TokenService<Account>;
let tokenServer: Server;
let realm: string;

beforeEach(async () => {
  events = [];
  clock = new ManualClock(systemClock.now());
  tokens = createTokenService<Account>({
    key,
    issuer: 'tests',
    service,
    authenticate(_request, password) {
      const identity = accounts[password ?? ''];
      return identity === undefined ? undefined : { name: identity.name, identity };
    },
    mayDo,
    clock,
    log: silentLog,
    onEvent: (event) => void events.push(event),
  });
  tokenServer = createServer((request, response) => tokens.handle(request, response));
  realm = `${await listen(tokenServer)}/token`;
});
afterEach(() => close(tokenServer));

function scopesOf(event: TokenEvent | undefined): readonly string[] {
  return (event?.granted ?? []).map(({ name, actions }) => `${name}:${actions.join(',')}`);
}

describe('the token server', () => {
  const url = (...scopes: string[]): string =>
    `${realm}?service=${service}${scopes.map((scope) => `&scope=${scope}`).join('')}`;
  const authorization = `Basic ${Buffer.from('any:the password of dana').toString('base64')}`;

  test('gives of each scope what is allowed', async () => {
    const response = await fetch(
      url(
        'repository:team/own:pull,push,delete',
        'repository:team/b:pull,push',
        'repository:c:pull',
      ),
      { headers: { authorization } },
    );
    expect(response.status).toBe(200);
    const { token, expires_in } = (await response.json()) as { token: string; expires_in: number };
    expect(expires_in).toBe(300);
    expect(tokens.verify(token)).toMatchObject({
      identity: { name: 'dana' },
      access: [
        { name: 'team/own', actions: ['pull', 'push', 'delete'] },
        { name: 'team/b', actions: ['pull'] },
      ],
    });
    expect(events.map(({ outcome, subject }) => [outcome, subject])).toEqual([['issued', 'dana']]);
    await clock.advance(301_000);
    expect(tokens.verify(token)).toBeUndefined();
  });

  test('takes a form as containerd posts it', async () => {
    const body = new URLSearchParams({
      grant_type: 'password',
      service,
      scope: 'repository:team/b:pull',
      username: 'dana',
      password: 'the password of dana',
    });
    const response = await fetch(realm, { method: 'POST', body });
    const { access_token } = (await response.json()) as { access_token: string };
    expect(tokens.verify(access_token)?.access).toEqual([
      { type: 'repository', name: 'team/b', actions: ['pull'] },
    ]);
  });

  test('refuses who it does not know, other services and other ways to ask', async () => {
    const refused = await fetch(url('repository:team/b:pull'));
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      401,
      'Basic realm="registry.test"',
    ]);
    expect(events.at(-1)).toMatchObject({ outcome: 'refused', subject: undefined, granted: [] });
    const status = async (at: string, init: RequestInit): Promise<number> =>
      (await fetch(at, init)).status;
    expect(await status(`${realm}?service=other`, { headers: { authorization } })).toBe(400);
    expect(await status(realm, { method: 'PUT' })).toBe(400);
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x' });
    expect(await status(realm, { method: 'POST', body })).toBe(400);
    expect(await status(realm, { method: 'POST', body: 'x'.repeat(20_000) })).toBe(400);
  });
});

test('failed logins of an address are limited; no secret is no guess', async () => {
  const failures: string[] = [];
  const limited = createTokenService<Account>({
    key,
    issuer: 'tests',
    service,
    authenticate: (_request, password) => {
      const identity = accounts[password ?? ''];
      return identity === undefined ? undefined : { name: identity.name, identity };
    },
    mayDo,
    limiter: {
      waitMs: () => (failures.length < 2 ? 0 : 1500),
      failed: (source) => void failures.push(source),
    },
    clock,
    log: silentLog,
    onEvent: (event) => void events.push(event),
  });
  const server = createServer((request, response) => limited.handle(request, response));
  const url = `${await listen(server)}/token?service=${service}`;
  const login = async (password?: string): Promise<Response> => {
    const pair = Buffer.from(`any:${password ?? ''}`).toString('base64');
    const headers = password === undefined ? {} : { authorization: `Basic ${pair}` };
    return await fetch(url, { headers });
  };
  try {
    expect((await login()).status).toBe(401);
    expect((await login('the password of dana')).status).toBe(200);
    expect(failures).toEqual([]);
    const wrong = new URLSearchParams({ grant_type: 'password', username: 'a', password: 'wrong' });
    expect((await login('wrong')).status).toBe(401);
    expect((await fetch(url, { method: 'POST', body: wrong })).status).toBe(401);
    expect(failures).toHaveLength(2);
    const refused = await login('the password of dana');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '2']);
    expect(await refused.json()).toMatchObject({ errors: [{ code: 'TOOMANYREQUESTS' }] });
    expect(events.at(-1)).toMatchObject({ outcome: 'limited', granted: [] });
    expect((await login()).status).toBe(401);
    expect(failures).toHaveLength(2);
  } finally {
    await close(server);
  }
});

describe('our client at a registry that wants tokens', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let registry: RunningRegistry;
  beforeEach(async () => {
    folder = await temporaryFolder();
    registry = await startRegistry({
      directory: folder.path,
      challenge: (_request, access) => tokenChallenge({ realm, service, access }),
      authorize(request: IncomingMessage, { repository, action }) {
        const [, bearer = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
        const token = tokens.verify(bearer);
        if (token === undefined) return 'unauthenticated';
        const covered = token.access.some(
          ({ name, actions }) => name === repository && actions.includes(action),
        );
        return repository === undefined || covered ? 'allowed' : 'unauthenticated';
      },
    });
  });
  afterEach(async () => {
    await registry[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const bytes = Buffer.from('a blob');
  const blob = { digest: digestWith('sha256', bytes), size: bytes.length, open: content };
  async function* content(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(bytes);
  }

  test('asks for what each request needs, once, and again when that has ended', async () => {
    await using client = createRegistryClient({
      baseUrl: registry.url,
      credentials: () => dana,
      clock,
    });
    await client.ping();
    expect(await client.pushBlob('team/own', blob)).toBe('uploaded');
    expect(await client.hasBlob('team/own', blob.digest)).toBe(true);
    expect(await client.hasBlob('team/own', blob.digest)).toBe(true);
    expect(events.map(scopesOf)).toEqual([[], ['team/own:pull'], ['team/own:pull,push']]);
    await clock.advance(301_000);
    expect(await client.hasBlob('team/own', blob.digest)).toBe(true);
    expect(events).toHaveLength(4);
    await expect(client.pushBlob('team/b', blob)).rejects.toMatchObject({
      code: 'registry_unauthorized',
    });
  });

  test('asks for the source of a mount, too', async () => {
    await using client = createRegistryClient({ baseUrl: registry.url, credentials: () => root });
    await client.pushBlob('a', blob);
    expect(await client.pushBlob('b', blob, { mountFrom: 'a' })).toBe('mounted');
    expect(scopesOf(events.at(-1))).toEqual(['b:pull,push', 'a:pull']);
  });

  test('tells who has no account that it needs one', async () => {
    await using client = createRegistryClient({ baseUrl: registry.url });
    await expect(client.tags('team/own')).rejects.toMatchObject({
      code: 'registry_unauthorized',
      message: expect.stringContaining('without an account') as string,
    });
  });
});

const noRegistry = haveProgram('docker-registry') ? '' : ' (needs docker-registry)';
describe.skipIf(noRegistry !== '')(`Debian's docker-registry${noRegistry}`, () => {
  const bytes = Buffer.from('another blob');
  const blob = { digest: digestWith('sha256', bytes), size: bytes.length, open: content };
  async function* content(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(bytes);
  }

  test('takes the tokens that we give, each for its repositories', async () => {
    await using folder = await temporaryFolder();
    const keyFile = join(folder.path, 'key.pem');
    const certificates = join(folder.path, 'certificate.pem');
    await writeFile(keyFile, key.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const words = ['req', '-x509', '-key', keyFile, '-subj', '/CN=tokens', '-days', '2'];
    execFileSync('openssl', [...words, '-out', certificates]);
    await using debian = await startDockerRegistry({
      auth: { kind: 'token', realm, service, issuer: 'tests', certificates },
    });
    await using client = createRegistryClient({ baseUrl: debian.url, credentials: () => dana });
    await client.ping();
    expect(await client.pushBlob('team/own', blob)).toBe('uploaded');
    expect(await client.hasBlob('team/own', blob.digest)).toBe(true);
    await expect(client.pushBlob('team/b', blob)).rejects.toMatchObject({
      code: 'registry_unauthorized',
    });
    expect(events.map(({ outcome }) => outcome)).not.toContain('refused');
  });

  test('lets our client in with basic authentication, and nobody with another password', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'htpasswd');
    // bcrypt of the password below.
    await writeFile(path, 'dana:$2y$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW\n');
    await using debian = await startDockerRegistry({ auth: { kind: 'htpasswd', path } });
    const login = { kind: 'basic', username: 'dana', password: 'open sesame' } as const;
    await using client = createRegistryClient({ baseUrl: debian.url, credentials: () => login });
    expect(await client.pushBlob('any', blob)).toBe('uploaded');
    for (const credentials of [() => ({ ...login, password: 'x' }), undefined]) {
      await using other = createRegistryClient({
        baseUrl: debian.url,
        ...(credentials !== undefined && { credentials }),
      });
      await expect(other.ping()).rejects.toMatchObject({ code: 'registry_unauthorized' });
    }
  });
});

describe('credentials', () => {
  test('are not sent in the clear because a registry over TLS says so, nor elsewhere', async () => {
    const sent: string[] = [];
    const transport = {
      send: ({ url, headers }: { url: URL; headers: Readonly<Record<string, string>> }) => {
        sent.push(`${url.origin} ${headers['authorization'] ?? 'nothing'}`);
        const body = Object.assign((async function* () {})(), { destroy: () => undefined });
        if (url.host === 'store.example') {
          return Promise.resolve({ status: 200, headers: { 'content-length': '1' }, body });
        }
        const other = url.pathname.includes('/blobs/');
        return Promise.resolve({
          status: other ? 307 : 401,
          headers: other
            ? { location: 'https://store.example/b' }
            : { 'www-authenticate': 'Bearer realm="http://evil.example/token"' },
          body,
        });
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    const init = { baseUrl: 'https://registry.example', transport, credentials: () => dana };
    await using client = createRegistryClient(init);
    await expect(client.ping()).rejects.toMatchObject({
      code: 'registry_unauthorized',
      message: expect.stringContaining('no URL as safe as its own') as string,
    });
    expect(await client.hasBlob('a', blobDigest)).toBe(true);
    expect(sent).toEqual([
      'https://registry.example nothing',
      'https://registry.example nothing',
      'https://store.example nothing',
    ]);
  });
  const blobDigest = digestWith('sha256', Buffer.from('x'));
});
