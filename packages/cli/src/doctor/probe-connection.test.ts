import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { systemClock } from '@tapline/base';
import { createCertificateAuthority, type IssuedIdentity } from '@tapline/gateway';
import { temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAnswer } from './exchange.ts';
import { probeConnection } from './probe-connection.ts';

let folder: TemporaryFolder;
let identity: IssuedIdentity;
let ca: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  const authority = await createCertificateAuthority({
    directory: folder.path,
    clock: systemClock,
  });
  identity = authority.issueServer({ hosts: [] });
  ca = authority.certificatePem;
});
afterAll(() => folder[Symbol.asyncDispose]());

async function serve(
  answer: Parameters<Server['on']>[1],
): Promise<AsyncDisposable & { port: number }> {
  const { certificatePem: cert, privateKeyPem: key } = identity;
  const server = createServer({ cert, key, maxHeaderSize: 32_768 });
  server.on('request', answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function probe(port: number, host = '127.0.0.1', authority: string | undefined = ca) {
  const { signal } = new AbortController();
  const at = { host, address: '127.0.0.1', port };
  return probeConnection(at, { ca: authority, clock: systemClock, signal });
}

describe('the probe', () => {
  test('reaches a server, learns its time, and gets full packets through', async () => {
    await using server = await serve((_request: unknown, response: { end(text: string): void }) => {
      response.end('ok');
    });
    const { connection, clock, bulk } = await probe(server.port);
    expect(connection).toMatchObject({ kind: 'open', checked: true, fault: undefined });
    const { sentMs = 0, serverMs = 0 } = clock ?? {};
    expect(Math.abs(sentMs - serverMs)).toBeLessThan(5000);
    expect(bulk).toMatchObject({ answered: true });
    expect(bulk?.sentBytes).toBeGreaterThan(100_000);
  });

  test('says what is wrong with a certificate', async () => {
    await using server = await serve((_request: unknown, response: { end(): void }) => {
      response.end();
    });
    const named = await probe(server.port, 'tapline.example.net');
    expect(named.connection).toMatchObject({ fault: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    await using other = await temporaryFolder();
    const { certificatePem } = await createCertificateAuthority({
      directory: other.path,
      clock: systemClock,
    });
    const foreign = await probe(server.port, '127.0.0.1', certificatePem);
    expect(foreign.connection).toMatchObject({ kind: 'open', checked: true });
    expect(foreign.connection).not.toMatchObject({ fault: undefined });
  });

  test('tells a port that nobody has from one without TLS', async () => {
    const tcp = createTcpServer((socket) => {
      socket
        .on('error', () => undefined)
        .resume()
        .end('220 mail.example.net\r\n');
    });
    tcp.listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const { port } = tcp.address() as AddressInfo;
    expect((await probe(port)).connection).toMatchObject({ kind: 'not-tls' });
    await new Promise((resolve) => void tcp.close(resolve));
    expect((await probe(port)).connection).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('ECONNREFUSED') as string,
    });
  });
});

test('an answer is read to its end, whatever says where that is', () => {
  const head = 'HTTP/1.1 200 OK\r\ndate: x\r\n';
  const parse = (text: string): number | undefined => parseAnswer(Buffer.from(text))?.length;
  const sized = `${head}content-length: 2\r\n\r\nok`;
  const chunked = `${head}transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`;
  for (const whole of [sized, chunked, `${head}\r\n`]) {
    expect(parse(whole)).toBe(whole.length);
    expect(parse(`${whole}HTTP/1.1`)).toBe(whole.length);
    for (let cut = 0; cut < whole.length; cut += 1) {
      expect(parse(whole.slice(0, cut))).toBeUndefined();
    }
  }
  expect(() => parse('SSH-2.0-OpenSSH\r\n\r\n')).toThrow('not HTTP/1.1');
});
