import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rename } from 'node:fs/promises';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { channelEdgeResource } from '@tapline/resources';
import { eventually, haveProgram, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { segmentBytes, startSmallOrigin } from './small-origin.ts';
import { startChannelSystem } from './start-channel-system.ts';
import { freePort } from './start-edge.ts';

// An agent looks for another certificate every ten seconds: by command, and not with every change.
const needs = [
  ...(process.env['TAPLINE_LONG_TESTS'] === undefined ? ['TAPLINE_LONG_TESTS=1'] : []),
  ...(process.platform === 'linux' ? [] : ['Linux']),
  ...(process.getuid?.() === 0 ? [] : ['root']),
  ...(haveProgram('openssl') ? [] : ['openssl']),
];
const unavailable = needs.length === 0 ? undefined : `(needs ${needs.join(', ')})`;

async function makeCertificate(folder: string, commonName: string): Promise<void> {
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${commonName} -addext subjectAltName=IP:127.0.0.1`;
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const files = ['-keyout', `${key}.new`, '-out', `${certificate}.new`];
  execFileSync('openssl', [...words.split(' '), ...files], { stdio: 'ignore' });
  // As programs that renew certificates put them into place.
  await rename(`${key}.new`, key);
  await rename(`${certificate}.new`, certificate);
}

function overHttp2(session: ClientHttp2Session, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path });
    let text = '';
    stream.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    stream.on('error', reject);
    stream.on('end', () => resolve(text));
  });
}

describe.skipIf(unavailable !== undefined)(`TLS of a node's edge ${unavailable ?? ''}`, () => {
  test('players come by it, and a renewed certificate is taken up while they stay', async () => {
    await using folder = await temporaryFolder();
    await makeCertificate(folder.path, 'first');
    await using origin = await startSmallOrigin();
    await using opened = new AsyncDisposableStack();
    const tlsAt = `127.0.0.1:${await freePort()}`;
    const files = [join(folder.path, 'cert.pem'), join(folder.path, 'key.pem')] as const;
    await using system = await startChannelSystem(['e1'], {
      flags: [
        '--edge-tls',
        tlsAt,
        '--edge-url',
        `https://${tlsAt}`,
        '--edge-certificate',
        files[0],
        '--edge-key',
        files[1],
      ],
    });
    await system.apply(`
apiVersion: tapline.dev/v1alpha1
kind: Channel
metadata: { name: news }
spec:
  origin: { url: '${origin.url}' }
  edges: { replicas: 1 }
  objectives: { hitRatio: 0.5 }
`);
    const { status } = await system.until('news', 'it is ready', (one) => {
      return one.status?.step === 'Ready';
    });
    // What players begin with leads them on by TLS.
    expect(status?.url).toBe(`https://${tlsAt}/news/~tapline/index.m3u8`);
    const first = await readFile(files[0], 'utf8');
    const session = connectHttp2(`https://${tlsAt}`, { ca: first });
    opened.defer(() => session.destroy());
    const entry = await overHttp2(session, '/news/~tapline/index.m3u8');
    expect(entry).toContain(`https://${tlsAt}/news/low/media.m3u8`);
    expect(await overHttp2(session, '/news/low/0.ts')).toHaveLength(segmentBytes);
    expect(session.alpnProtocol).toBe('h2');

    await makeCertificate(folder.path, 'second');
    const second = await readFile(files[0], 'utf8');
    const nameNow = async (): Promise<unknown> => {
      const socket: TLSSocket = connectTls({
        host: '127.0.0.1',
        port: Number(tlsAt.split(':')[1]),
        ca: [first, second],
      });
      await once(socket, 'secureConnect');
      const { CN } = socket.getPeerCertificate().subject;
      socket.destroy();
      return CN;
    };
    await eventually('the new one is shown', async () => (await nameNow()) === 'second', {
      withinMs: 40_000,
    });
    // Who was there before has noticed nothing.
    expect(session.closed).toBe(false);
    expect(await overHttp2(session, '/news/low/1.ts')).toHaveLength(segmentBytes);
    // The same process, which has not been started anew for it.
    const { restarts } =
      (await system.controlPlane.client.get(channelEdgeResource, 'e1.news')).status ?? {};
    expect(restarts ?? 0).toBe(0);
  }, 120_000);
});
