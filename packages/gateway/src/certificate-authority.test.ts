import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { connect, createServer } from 'node:tls';
import { ManualClock, systemClock } from '@tapline/base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCertificateAuthority } from './certificate-authority.ts';
import { newDeviceKey, publicKeyOf } from './device-key.ts';
import { deviceUser } from './device-names.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tapline-ca-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('the authority', () => {
  test('is the same after a restart, and its key is readable by its owner only', async () => {
    const first = await createCertificateAuthority({ directory, clock: systemClock });
    const second = await createCertificateAuthority({ directory, clock: systemClock });
    expect(second.fingerprint).toBe(first.fingerprint);
    expect((await stat(join(directory, 'ca.pem'))).mode & 0o777).toBe(0o600);
  });

  test('is one, however many are made at once', async () => {
    const made = await Promise.all(
      Array.from({ length: 8 }, () =>
        createCertificateAuthority({ directory, clock: systemClock }),
      ),
    );
    expect(new Set(made.map(({ fingerprint }) => fingerprint)).size).toBe(1);
  });

  test('gives out nothing that outlives it', async () => {
    const clock = new ManualClock(Date.now());
    const authority = await createCertificateAuthority({ directory, clock });
    const end = new X509Certificate(authority.certificatePem).validToDate.getTime();
    await clock.advance(3640 * 86_400_000);
    const { notAfter } = authority.issueIdentity({ user: 'admin', groups: [] });
    expect(notAfter).toBe(end);
  });
});

test('OpenSSL accepts its certificates, for what each is meant for', async () => {
  const authority = await createCertificateAuthority({ directory, clock: systemClock });
  const server = authority.issueServer({ hosts: ['tapline.example', '10.9.8.7', 'fd00::12'] });
  const client = authority.issueIdentity({ user: 'admin', groups: ['system:masters', 'ops'] });
  const path = (name: string): string => join(directory, name);
  await writeFile(path('root.pem'), authority.certificatePem);
  await writeFile(path('server.pem'), server.certificatePem);
  await writeFile(path('client.pem'), client.certificatePem);
  const verify = (purpose: string, file: string, more: readonly string[] = []): string =>
    execFileSync(
      'openssl',
      ['verify', '-x509_strict', '-CAfile', path('root.pem'), '-purpose', purpose, ...more, file],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    );
  for (const more of [
    ['-verify_hostname', 'tapline.example'],
    ['-verify_hostname', 'localhost'],
    ['-verify_ip', '10.9.8.7'],
    ['-verify_ip', 'fd00::12'],
    ['-verify_ip', '::1'],
  ]) {
    expect(verify('sslserver', path('server.pem'), more)).toContain('OK');
  }
  expect(verify('sslclient', path('client.pem'))).toContain('OK');
  expect(() => verify('sslserver', path('client.pem'))).toThrow(/unsuitable/);
  expect(() => verify('sslclient', path('server.pem'))).toThrow(/unsuitable/);
  expect(new X509Certificate(client.certificatePem).subject).toBe(
    'O=system:masters\nO=ops\nCN=admin',
  );
});

test('a device with the longest name connects with its certificate; one of another authority does not', async () => {
  const authority = await createCertificateAuthority({ directory, clock: systemClock });
  const other = await createCertificateAuthority({
    directory: join(directory, 'other'),
    clock: systemClock,
  });
  const served = authority.issueServer({ hosts: [] });
  const server = createServer({
    cert: served.certificatePem,
    key: served.privateKeyPem,
    ca: authority.certificatePem,
    requestCert: true,
    rejectUnauthorized: false,
  });
  const peers: { readonly authorized: boolean; readonly subject: unknown }[] = [];
  server.on('secureConnection', (socket) => {
    socket.on('error', () => socket.destroy());
    peers.push({
      authorized: socket.authorized,
      subject: { ...socket.getPeerCertificate().subject },
    });
    socket.end('done');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const name = 'd'.repeat(63);
  for (const issuer of [authority, other]) {
    const key = newDeviceKey();
    const { certificatePem } = issuer.issueClient({
      user: deviceUser(name),
      groups: ['system:devices'],
      publicKey: publicKeyOf(key),
    });
    const socket = connect({
      port,
      host: '127.0.0.1',
      ca: authority.certificatePem,
      cert: certificatePem,
      key,
    });
    await once(socket, 'data');
    socket.destroy();
  }
  server.close();
  expect(peers.map((peer) => peer.authorized)).toEqual([true, false]);
  expect(peers[0]?.subject).toEqual({ CN: `system:device:${name}`, O: 'system:devices' });
});
