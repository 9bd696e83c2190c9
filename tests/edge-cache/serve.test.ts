import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { eventually, haveProgram, startProcess, temporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CommandResult, runTapline, taplineMain } from '../support/run-tapline.ts';

const unavailable = haveProgram('openssl') ? undefined : '(needs openssl)';
const segment = Buffer.alloc(300_000, 'tapline');

describe.skipIf(unavailable !== undefined)(`tapline edge-cache serve ${unavailable ?? ''}`, () => {
  const opened = new AsyncDisposableStack();
  let folder: string;
  let origin: Server;
  const asked: string[] = [];

  beforeAll(async () => {
    folder = opened.use(await temporaryFolder()).path;
    origin = createServer(({ url = '' }, response) => {
      asked.push(url);
      response.writeHead(200, { 'cache-control': 'max-age=600', 'surrogate-key': 'show-7' });
      response.end(segment);
    });
    origin.listen(0, '127.0.0.1');
    await once(origin, 'listening');
    opened.defer(async () => {
      origin.closeAllConnections();
      origin.close();
      await once(origin, 'close');
    });
    await writeFile(
      join(folder, 'channels.yaml'),
      `channels: [{ name: news, prefix: /news/, origins: ['http://127.0.0.1:${(origin.address() as AddressInfo).port}'] }]\n`,
    );
    await certify('first');
  });
  afterAll(() => opened.disposeAsync());

  async function certify(name: string): Promise<void> {
    const [key, chain] = [join(folder, 'new.key'), join(folder, 'new.pem')];
    const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=${name} -keyout ${key} -out ${chain}`;
    execFileSync('openssl', words.split(' '), { stdio: 'ignore' });
    await rename(key, join(folder, 'key.pem'));
    await rename(chain, join(folder, 'chain.pem'));
  }

  async function serve() {
    const at = (name: string): string => join(folder, name);
    const words = ['edge-cache', 'serve', at('channels.yaml'), '--listen', '127.0.0.1:0'];
    const kept = ['--disk', at('disk'), '--disk-size', '100MB', '--admin', at('admin.sock')];
    const tls = ['--tls-listen', '127.0.0.1:0', '--tls-certificate', at('chain.pem')];
    const started = await startProcess(
      process.execPath,
      [taplineMain, ...words, ...kept, ...tls, '--tls-key', at('key.pem')],
      { readyLine: /ready at (http:\S+)/ },
    );
    const url = started.ready?.[1] ?? '';
    return {
      started,
      tlsUrl: /ready at (https:\S+)/.exec(started.output())?.[1] ?? '',
      async get(path: string): Promise<string> {
        const response = await fetch(new URL(path, url));
        expect(Buffer.from(await response.arrayBuffer()).equals(segment)).toBe(true);
        return response.headers.get('cache-status') ?? '';
      },
    };
  }

  async function nameOf(url: string): Promise<string | undefined> {
    const { hostname: host, port } = new URL(url);
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return String(subject.CN);
  }

  const ask = (...words: readonly string[]): Promise<CommandResult> =>
    runTapline(['edge-cache', ...words, '--admin', join(folder, 'admin.sock')]);

  test('keeps, purges and takes up a certificate, also through SIGKILL', async () => {
    let edge = await serve();
    expect(await edge.get('/news/1.ts')).toContain('fwd=uri-miss');
    expect(await edge.get('/news/1.ts')).toContain('; hit');
    expect(await edge.get('/news/2.ts')).toContain('fwd=uri-miss');
    expect(await nameOf(edge.tlsUrl)).toBe('first');
    await certify('second');
    expect(await ask('reload')).toMatchObject({ code: 0 });
    expect(await nameOf(edge.tlsUrl)).toBe('second');
    expect((await ask('stats')).out).toMatch(/^kept +2 objects/m);

    await eventually('both are on disk', () => sizeOf(join(folder, 'disk')) > 2 * segment.length);
    expect(await ask('purge', 'news', '--url', '/news/2.ts')).toMatchObject({ code: 0 });
    process.kill(edge.started.pid, 'SIGKILL');
    await edge.started[Symbol.asyncDispose]();
    asked.length = 0;
    edge = await serve();
    await using _ = edge.started;
    expect(await edge.get('/news/1.ts')).toContain('; hit');
    expect(asked).toEqual([]);
    // What was purged, and answered, does not come back.
    expect(await edge.get('/news/2.ts')).toContain('fwd=');
    expect(asked).toEqual(['/news/2.ts']);
    expect(await ask('purge', 'news', '--tag', 'show-7')).toMatchObject({ code: 0 });
    expect(await edge.get('/news/1.ts')).toContain('fwd=');
    const pin = ['pin', 'news', '/news/1.ts'];
    expect(await ask(...pin)).toMatchObject({ code: 0, out: 'pinned\n' });
    expect(await ask(...pin, '--remove')).toMatchObject({ code: 0, out: 'no longer pinned\n' });
    expect((await ask('pin', 'sports', '/news/1.ts')).code).not.toBe(0);
  }, 90_000);

  test('says what is wrong with its file, and that nobody answers on its socket', async () => {
    await writeFile(
      join(folder, 'wrong.yaml'),
      'channels: [{ name: news, origins: [gopher://x] }]',
    );
    const wrong = await runTapline(['edge-cache', 'serve', join(folder, 'wrong.yaml')]);
    expect(wrong.code).not.toBe(0);
    expect(wrong.err).toContain('gopher://x');
    const silent = await runTapline(['edge-cache', 'stats', '--admin', join(folder, 'no.sock')]);
    expect(silent.code).not.toBe(0);
    expect(silent.err).toContain('no.sock');
  });
});

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
