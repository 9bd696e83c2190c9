import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from 'node:http';
import type { PeerCertificate } from 'node:tls';
import { isCertifiedSocket, ManualClock } from '@tapline/base';
import { BufferPool, defaultLimits, Session, TunnelServer } from '@tapline/tunnel';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TunnelAgent } from './tunnel-agent.ts';
import { TunnelSocket } from './tunnel-socket.ts';

const certificate = { subject: { CN: 'system:device:d1' } } as unknown as PeerCertificate;

let client: Session;
let server: TunnelServer;
let agent: TunnelAgent;
const http = createServer((request, response) => {
  if (request.url === '/who') {
    const shown = isCertifiedSocket(request.socket) ? request.socket.getPeerCertificate() : {};
    response.end(JSON.stringify(shown));
  } else if (request.url === '/echo') request.pipe(response);
  else if (request.url === '/ending') {
    response.shouldKeepAlive = false;
    response.end(Buffer.alloc(900_000, 'end'));
  } else if (request.url === '/reused') void answerFromOneBuffer(response);
  else response.write('first\n');
});

/** As a file is sent: the next part is read into the same memory once the last was taken. */
async function answerFromOneBuffer(response: ServerResponse): Promise<void> {
  const buffer = Buffer.alloc(50_000);
  for (let part = 0; part < 40; part += 1) {
    buffer.fill(part);
    await new Promise((resolve) => response.write(buffer, resolve));
  }
  response.end();
}

beforeEach(() => {
  const shared = { clock: new ManualClock(), limits: defaultLimits, pool: new BufferPool() };
  client = new Session({ role: 'client', ...shared });
  let tokens = 0;
  server = new TunnelServer({
    ...shared,
    newToken: () => new Uint8Array(32).fill((tokens += 1)),
    onSession(session) {
      session.onStream((stream) => {
        http.emit('connection', new TunnelSocket(stream, { authorized: true, certificate }));
      });
    },
  });
  // Two transports that hand over in the next turn.
  const far: { receive?: (bytes: Uint8Array) => void } = {};
  const near: { receive?: (bytes: Uint8Array) => void } = {};
  const towards = (end: typeof far) => ({
    write: (bytes: Uint8Array) => void setImmediate((copy) => end.receive?.(copy), bytes.slice()),
    bufferedBytes: 0,
    close: () => undefined,
  });
  const serving = server.accept(towards(near), 'd1');
  far.receive = (bytes) => serving.receive(bytes);
  const asking = client.connect(towards(far));
  near.receive = (bytes) => asking.receive(bytes);
  agent = new TunnelAgent(() =>
    Promise.resolve(new TunnelSocket(client.open({ class: 'interactive', name: 'http' }))),
  );
});
afterEach(() => {
  agent.destroy();
  client.close();
  server.close(1, 'the test is over');
});

async function ask(path: string, body?: Uint8Array): Promise<IncomingMessage> {
  await expect.poll(() => client.connected).toBe(true);
  const sent = httpRequest({
    host: 'control-plane',
    path,
    agent,
    method: body === undefined ? 'GET' : 'POST',
  });
  // What fails after the answer began fails its reader.
  sent.on('error', () => undefined);
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return response;
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response as AsyncIterable<Buffer>) text += chunk.toString();
  return text;
}

test('a request in a tunnel is of whoever the tunnel is of, and connections are used again', async () => {
  for (let asked = 0; asked < 5; asked += 1) {
    const response = await ask('/who');
    expect(JSON.parse(await textOf(response))).toEqual(certificate);
  }
  expect(client.stats().streams).toBe(1);
});

test('bodies pass both ways, larger than any window', async () => {
  const body = Buffer.alloc(3 * 1_048_576, 'body');
  const text = await textOf(await ask('/echo', body));
  expect(text === body.toString()).toBe(true);
});

test('a connection that ends after an answer ends after all of it', async () => {
  const response = await ask('/ending');
  expect(response.headers.connection).toBe('close');
  expect(await textOf(response)).toHaveLength(900_000);
  await expect.poll(() => client.stats().streams).toBe(0);
});

test('what is written may be changed once it was taken', async () => {
  const parts: Buffer[] = [];
  for await (const part of (await ask('/reused')) as AsyncIterable<Buffer>) parts.push(part);
  const expected = Array.from({ length: 40 }, (_, part) => Buffer.alloc(50_000, part));
  expect(Buffer.concat(parts).equals(Buffer.concat(expected))).toBe(true);
});

test('an answer that goes on ends when it is given up, or with the tunnel', async () => {
  const first = await ask('/watch');
  first.destroy();
  await expect.poll(() => client.stats().streams).toBe(0);
  const second = await ask('/watch');
  client.close();
  await expect(textOf(second)).rejects.toThrow('aborted');
});
