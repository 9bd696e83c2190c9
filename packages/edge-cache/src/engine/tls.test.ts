import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { get } from 'node:https';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { haveProgram, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { channelSettings } from '../channel/channel-settings.ts';
import { startOrigin } from '../testing/start-origin.ts';
import { startEdgeCache } from './start-edge-cache.ts';

function makeCertificate(folder: string, commonName: string): void {
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${commonName} -addext subjectAltName=IP:127.0.0.1`;
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
  execFileSync('openssl', [...words.split(' '), ...files], { stdio: 'ignore' });
}

function overHttp2(
  session: ClientHttp2Session,
  headers: Record<string, string>,
): Promise<{ status: number; body: string; fields: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': '/', ...headers });
    let [body, fields]: [string, Record<string, unknown>] = ['', {}];
    stream.setEncoding('latin1');
    stream.on('response', (given) => (fields = given));
    stream.on('data', (text: string) => (body += text));
    stream.on('error', reject);
    stream.on('end', () => resolve({ status: Number(fields[':status']), body, fields }));
  });
}

describe.skipIf(!haveProgram('openssl'))('TLS', () => {
  test('HTTP/1.1 and HTTP/2 share what is kept, and a new certificate needs no restart', async () => {
    await using folder = await temporaryFolder();
    makeCertificate(folder.path, 'first');
    await using origin = await startOrigin((_, response) => {
      response.setHeader('cache-control', 'max-age=60');
      response.end('0123456789'.repeat(50_000));
    });
    const files = {
      certificateFile: join(folder.path, 'cert.pem'),
      keyFile: join(folder.path, 'key.pem'),
    };
    await using edge = await startEdgeCache({
      channels: [channelSettings({ name: 'c', origins: [origin.url] })],
      tls: { host: '127.0.0.1', port: 0, ...files },
    });
    const url = new URL(edge.tlsUrl ?? '');
    const ca = await readFile(files.certificateFile);
    const overHttp1 = await new Promise<number>((resolve, reject) => {
      get(new URL('/a', url), { ca }, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      }).on('error', reject);
    });
    expect(overHttp1).toBe(200);
    const session = connectHttp2(url.href, { ca });
    const whole = await overHttp2(session, { ':path': '/a' });
    expect(whole.body).toBe('0123456789'.repeat(50_000));
    expect(whole.fields['cache-status']).toMatch(/hit/);
    const parts = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        overHttp2(session, { ':path': '/a', range: `bytes=${index}-${index}` }),
      ),
    );
    expect(parts.map(({ status, body }) => `${status} ${body}`)).toEqual(
      Array.from({ length: 10 }, (_, index) => `206 ${index}`),
    );
    expect((await overHttp2(session, { ':path': '/../a' })).status).toBe(400);
    expect(origin.asked).toHaveLength(1);

    makeCertificate(folder.path, 'second');
    await edge.reloadCertificate();
    const subject = await new Promise<string>((resolve, reject) => {
      const socket = connectTls(
        { host: '127.0.0.1', port: Number(url.port), rejectUnauthorized: false },
        () => {
          resolve(String(socket.getPeerCertificate().subject.CN));
          socket.destroy();
        },
      );
      socket.on('error', reject);
    });
    expect(subject).toBe('second');
    // The connection from before goes on.
    expect((await overHttp2(session, { ':path': '/a', range: 'bytes=3-3' })).body).toBe('3');
    session.close();
  });
});
