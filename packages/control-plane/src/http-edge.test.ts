import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog, systemClock } from '@tapline/base';
import { type CertificateAuthority, createCertificateAuthority } from '@tapline/gateway';
import { writeAdminKubeconfig } from './admin-kubeconfig.ts';
import { type HttpEdge, startHttpEdge } from './http-edge.ts';

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
      ],
    });
  });

  afterEach(async () => {
    await edge[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  function request(
    path: string,
    options: { readonly cert?: string; readonly key?: string } = {},
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
