import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startProcess, temporaryFolder } from '@tapline/testing';
import { freePort } from './start-prometheus.ts';

/** A real homeserver of Matrix. */
export interface Dendrite extends AsyncDisposable {
  readonly url: string;
  /** Registers somebody; answers their access token. */
  register(name: string): Promise<string>;
  /** A request of the client-server API. */
  send(
    token: string,
    request: { readonly method: string; readonly path: string; readonly body?: object },
  ): Promise<Readonly<Record<string, unknown>>>;
}

const version = 'v0.13.8';
const databases = {
  app_service_api: 'database',
  federation_api: 'database',
  key_server: 'database',
  relay_api: 'database',
  room_server: 'database',
  sync_api: 'database',
  user_api: 'account_database',
} as const;

/** Go builds it once, in three minutes. */
export async function startDendrite(): Promise<Dendrite> {
  const program = await buildDendrite();
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await temporaryFolder());
  const port = await freePort();
  const seed = randomBytes(32).toString('base64');
  const key = `-----BEGIN MATRIX PRIVATE KEY-----\nKey-ID: ed25519:test\n\n${seed}\n-----END MATRIX PRIVATE KEY-----\n`;
  await writeFile(join(folder, 'key.pem'), key);
  const stores = Object.entries(databases).map(
    ([part, name]) => `${part}: { ${name}: { connection_string: "file:${folder}/${part}.db" } }`,
  );
  const config = join(folder, 'dendrite.yaml');
  await writeFile(
    config,
    `version: 2
global:
  server_name: localhost
  private_key: ${folder}/key.pem
  disable_federation: true
  jetstream: { in_memory: true, storage_path: ${folder}/jetstream }
client_api: { registration_disabled: false, rate_limiting: { enabled: false } }
media_api: { base_path: ${folder}/media, database: { connection_string: "file:${folder}/media.db" } }
mscs: { mscs: [], database: { connection_string: "file:${folder}/mscs.db" } }
${stores.join('\n')}
logging: [{ type: std, level: warn }]
`,
  );
  const url = `http://127.0.0.1:${port}`;
  const words = ['-config', config, '-http-bind-address', `127.0.0.1:${port}`];
  opened.use(
    await startProcess(program, [...words, '-really-enable-open-registration'], {
      readyUrl: `${url}/_matrix/client/versions`,
    }),
  );

  const send: Dendrite['send'] = async (token, { method, path, body = {} }) => {
    const answer = await fetch(`${url}/_matrix/client/v3/${path}`, {
      method,
      headers: token === '' ? {} : { authorization: `Bearer ${token}` },
      ...(method !== 'GET' && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} answers ${answer.status}: ${text}`);
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  };
  const owned = opened.move();
  return {
    url,
    send,
    async register(name) {
      const auth = { type: 'm.login.dummy' };
      const body = { username: name, password: 'for tests only', auth };
      const answer = await send('', { method: 'POST', path: 'register', body });
      return String(answer['access_token']);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function buildDendrite(): Promise<string> {
  const folder = join(import.meta.dirname, '../../node_modules/.cache', `dendrite-${version}`);
  const program = join(folder, 'dendrite');
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const module = `github.com/matrix-org/dendrite/cmd/dendrite@${version}`;
  const env = { ...process.env, GOFLAGS: '-mod=mod', GOBIN: folder };
  await promisify(execFile)('go', ['install', module], { env });
  return program;
}
