import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog, systemClock } from '@tapline/base';
import { type CertificateAuthority, createCertificateAuthority } from '@tapline/gateway';
import { writeAdminKubeconfig } from './admin-kubeconfig.ts';
import { type HttpEdge, startHttpEdge } from './http-edge.ts';

function echo(request: IncomingMessage, response: ServerResponse): void {
  request.toArray().then(
    (chunks) => response.end(Buffer.concat(chunks)),
    () => response.destroy(),
  );
}

describe('startHttpEdge', () => {
  let directory: string;
  let authority: CertificateAuthority;
  let edge: HttpEdge;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tapline-edge-'));
    authority = await createCertificateAuthority({ directory, clock: systemClock });
    edge = await startHttpEdge({
      authority,
      host: '127.0.0.1',
      port: 0,
      hosts: ['tapline.example'],
      clock: systemClock,
      log: silentLog,
      routes: [
        { path: '/', handle: (_request, response) => void response.end('rest') },
        {
          path: '/who/',
          handle: ({ socket }, response) => {
            const peer = socket instanceof TLSSocket && socket.authorized;
            response.end(peer ? String(socket.getPeerCertificate().subject.CN) : 'nobody');
          },
        },
        { path: '/hang', handle: () => undefined },
        {
          path: '/upgrade',
          upgrade: (_request, socket) =>
            socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\nup'),
        },
        { path: '/quick/', handle: echo, body: () => ({ kind: 'whole', ms: 300 }) },
        {
          path: '/refused/',
          handle: (_request, response) => void response.writeHead(401).end(),
          body: () => ({ kind: 'silence', ms: 300 }),
        },
        { path: '/layers/', handle: echo, body: () => ({ kind: 'silence', ms: 300 }) },
      ],
    });
  });

  afterEach(async () => {
    await edge[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  function request(
    path: string,
    options: {
      readonly cert?: string;
      readonly key?: string;
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      get(
        {
          host: '127.0.0.1',
          port: edge.port,
          path,
          ca: authority.certificatePem,
          agent: false,
          ...options,
        },
        (response) => {
          response.toArray().then((chunks) => resolve(Buffer.concat(chunks).toString()), reject);
        },
      ).on('error', reject);
    });
  }

  it('gives a request to the longest path that matches', async () => {
    expect(await request('/other')).toBe('rest');
    expect(await request('/who/am/i?x=/')).toBe('nobody');
    expect(await request('/who')).toBe('nobody');
  });

  it('knows who brings a certificate of its authority', async () => {
    const issued = authority.issueIdentity({ user: 'admin', groups: [] });
    const credential = { cert: issued.certificatePem, key: issued.privateKeyPem };
    expect(await request('/who/', credential)).toBe('admin');
  });

  it('has a certificate for the names it is reached by, and speaks HTTP/1.1', async () => {
    const socket = connect({
      host: '127.0.0.1',
      port: edge.port,
      servername: 'tapline.example',
      ca: authority.certificatePem,
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    await new Promise((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
    });
    expect(socket.alpnProtocol).toBe('http/1.1');
    socket.destroy();
  });

  it('stops though a request hangs', async () => {
    const hanging = request('/hang').catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await edge[Symbol.asyncDispose]();
    expect(await hanging).toBeInstanceOf(Error);
  });

  /** Sends the head, then bytes, one every `everyMs`; what came back until the connection ended. */
  async function drip(
    path: string,
    {
      everyMs,
      bytes = 8,
      connection = 'close',
    }: { readonly everyMs: number; readonly bytes?: number; readonly connection?: string },
  ): Promise<string> {
    const socket = connect({ host: '127.0.0.1', port: edge.port, ca: authority.certificatePem });
    const came: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => came.push(chunk));
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const ended = new AbortController();
    void closed.then(() => ended.abort());
    socket.write(
      `PUT ${path} HTTP/1.1\r\nHost: h\r\nConnection: ${connection}\r\nContent-Length: ${bytes}\r\n\r\n`,
    );
    for (let sent = 0; sent < bytes && !ended.signal.aborted; sent += 1) {
      await systemClock.sleep(everyMs, { signal: ended.signal }).catch(() => undefined);
      if (!ended.signal.aborted) socket.write('x');
    }
    await closed;
    return Buffer.concat(came).toString();
  }

  it('waits for a body as a whole, and for a layer while it flows', async () => {
    const [quick, layers, silent, refused] = await Promise.all([
      drip('/quick/', { everyMs: 100 }),
      drip('/layers/', { everyMs: 100 }),
      drip('/layers/', { everyMs: 1000 }),
      drip('/refused/', { everyMs: 100, bytes: 100, connection: 'keep-alive' }),
    ]);
    expect(quick).toMatch(/^HTTP\/1.1 408 /);
    expect(layers).toMatch(/^HTTP\/1.1 200 .*xxxxxxxx$/s);
    expect(silent).toBe('');
    // Ten seconds of trickle were to come, and the connection ended long before.
    expect(refused).toMatch(/^HTTP\/1.1 401 /);
  });

  it('refuses what a browser sends for the page of another site', async () => {
    const ask = async (origin: string): Promise<string> =>
      request('/other', { headers: { origin, host: 'tapline.example:7443' } });
    expect(await ask('https://tapline.example:7443')).toBe('rest');
    for (const origin of ['https://evil.example', 'null', 'https://tapline.example']) {
      expect(await ask(origin)).toBe('requests for other origins are refused\n');
    }
    const upgrade = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      host: 'localhost',
      origin: 'https://e',
    };
    expect(await request('/upgrade', { headers: upgrade })).toBe('');
    expect(
      await request('/upgrade', { headers: { ...upgrade, origin: 'https://localhost' } }),
    ).toBe('up');
  });

  it('cuts the connections of one user', async () => {
    const hanging = ['one', 'two'].map(async (user) => {
      const issued = authority.issueIdentity({ user, groups: [] });
      const credential = { cert: issued.certificatePem, key: issued.privateKeyPem };
      return request('/hang', credential).catch(() => `cut ${user}`);
    });
    await systemClock.sleep(200);
    edge.disconnect('one');
    expect(await Promise.race(hanging)).toBe('cut one');
    edge.disconnect('two');
    expect(await Promise.all(hanging)).toEqual(['cut one', 'cut two']);
  });

  it('writes a kubeconfig that only its owner can read, and keeps its certificate', async () => {
    const path = join(directory, 'admin.kubeconfig');
    const init = { path, authority, clock: systemClock };
    await writeAdminKubeconfig({ ...init, url: 'https://127.0.0.1:1' });
    const first = await readFile(path, 'utf8');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await writeAdminKubeconfig({ ...init, url: 'https://127.0.0.1:2' });
    expect(await readFile(path, 'utf8')).toBe(first.replace('127.0.0.1:1', '127.0.0.1:2'));
  });
});
