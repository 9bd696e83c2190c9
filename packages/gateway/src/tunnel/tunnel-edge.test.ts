import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { randomBytes } from 'node:crypto';
import { silentLog, systemClock, systemRng } from '@tapline/base';
import {
  BufferPool,
  defaultLimits,
  type Dial,
  dialWebSocket,
  keepTunnel,
  type KeptTunnel,
  type Session,
  tunnelSubprotocol,
  TunnelServer,
  type TunnelStream,
} from '@tapline/tunnel';
import { temporaryFolder } from '@tapline/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createCertificateAuthority } from '../certificate-authority.ts';
import { createTunnelAcceptor, type TunnelAcceptor } from './accept-tunnel.ts';
import { dialTunnel } from './dial-tunnel.ts';
import { tunnelPath } from './tunnel-path.ts';

const pool = new BufferPool();
const limits = defaultLimits;

let opened: AsyncDisposableStack;
let sessions: Session[];
let sockets: Set<Socket>;
let acceptor: TunnelAcceptor;

beforeEach(() => {
  opened = new AsyncDisposableStack();
  sessions = [];
  sockets = new Set();
  const server = new TunnelServer({
    clock: systemClock,
    limits,
    pool,
    newToken: () => randomBytes(32),
    onSession(session) {
      sessions.push(session);
      // That the session ends while a stream is open is how a test ends.
      session.onStream((stream) => void echo(stream).catch(() => undefined));
    },
  });
  opened.defer(() => server.close(1, 'the test is over'));
  acceptor = opened.use(createTunnelAcceptor({ server, clock: systemClock }));
});
afterEach(() => opened.disposeAsync());

async function echo(stream: TunnelStream): Promise<void> {
  for await (const part of stream) if (!stream.write(part)) await stream.writable();
  stream.end();
}

async function listen(server: HttpServer): Promise<number> {
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('upgrade', (request, socket, head) => acceptor.accept({ request, socket, head }, 'd1'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const carriers: Readonly<Record<string, () => Promise<Dial>>> = {
  async 'TLS 1.3'() {
    const folder = opened.use(await temporaryFolder());
    const authority = await createCertificateAuthority({
      directory: folder.path,
      clock: systemClock,
    });
    const { certificatePem: cert, privateKeyPem: key } = authority.issueServer({ hosts: [] });
    const port = await listen(createServer({ cert, key, ALPNProtocols: ['http/1.1'] }));
    return dialTunnel({
      server: new URL(`https://127.0.0.1:${port}`),
      tls: () => ({ ca: authority.certificatePem }),
      clock: systemClock,
    });
  },
  async "a browser's WebSocket"() {
    const port = await listen(createHttpServer());
    const url = `ws://127.0.0.1:${port}${tunnelPath}`;
    return dialWebSocket({
      open: () => new WebSocket(url, tunnelSubprotocol),
      clock: systemClock,
    });
  },
};

function keep(dial: Dial): KeptTunnel {
  return opened.use(
    keepTunnel({
      dial,
      onSession() {},
      clock: systemClock,
      rng: systemRng,
      log: silentLog,
      limits,
      pool,
      baseBackoffMs: 10,
      maxBackoffMs: 100,
    }),
  );
}

function until(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 10_000, interval: 5 });
}

describe.each(Object.keys(carriers))('over %s', (name) => {
  test('streams come back whole, also when the connection is cut again and again', async () => {
    const dial = await carriers[name]?.();
    if (dial === undefined) return;
    const { session } = keep(dial);
    await until(() => expect(session.connected).toBe(true));
    const stream = session.open({ class: 'bulk', name: 'echo' });
    const sent = randomBytes(4 * 1_048_576);
    const received: Uint8Array[] = [];
    let bytes = 0;
    let cuts = 0;
    const reading = (async () => {
      for await (const part of stream) {
        received.push(part);
        bytes += part.length;
        if (bytes > (cuts + 1) * 1_048_576) {
          cuts += 1;
          for (const socket of sockets) socket.destroy();
          sockets.clear();
        }
      }
    })();
    for (let offset = 0; offset < sent.length; offset += 50_000) {
      if (!stream.write(sent.subarray(offset, offset + 50_000))) await stream.writable();
    }
    stream.end();
    await reading;
    expect(Buffer.concat(received).equals(sent)).toBe(true);
    expect(session.stats().connections).toBe(cuts + 1);
    expect(sessions).toHaveLength(1);
  });

  test('a small message passes while a large one is under way', async () => {
    const dial = await carriers[name]?.();
    if (dial === undefined) return;
    const { session } = keep(dial);
    await until(() => expect(session.connected).toBe(true));
    const bulk = session.open({ class: 'bulk', name: 'bulk' });
    const control = session.open({ class: 'control', name: 'control' });
    const state = { bulkBytes: 0 };
    const reading = (async () => {
      for await (const part of bulk) state.bulkBytes += part.length;
    })();
    const size = 16 * 1_048_576;
    bulk.write(new Uint8Array(size));
    bulk.end();
    control.write(Uint8Array.of(7));
    expect([...((await control.read()) ?? [])]).toEqual([7]);
    expect(state.bulkBytes).toBeLessThan(size);
    await reading;
    expect(state.bulkBytes).toBe(size);
  });
});

test('a gateway that refuses says why, and one that is not there is said to be missing', async () => {
  let refusal: readonly [number, object] = [
    403,
    { code: 'device_unknown', message: 'd1 is not enrolled' },
  ];
  const server = createHttpServer((_request, response) => {
    response.writeHead(refusal[0], { 'content-type': 'application/json' });
    response.end(JSON.stringify(refusal[1]));
  });
  const port = await listen(server);
  server.removeAllListeners('upgrade');
  const url = new URL(`http://127.0.0.1:${port}`);
  const begin = (): never => {
    throw new Error('nothing begins');
  };
  const { signal } = new AbortController();
  const dial = dialTunnel({ server: url, clock: systemClock });
  await expect(dial(begin, signal)).rejects.toMatchObject({ code: 'device_unknown' });
  // With when to come again, which whoever dials keeps to.
  refusal = [503, { code: 'gateway_busy', message: 'too many', retryAfterMs: 4200 }];
  await expect(dial(begin, signal)).rejects.toMatchObject({
    code: 'gateway_busy',
    details: { retryAfterMs: 4200 },
  });
  server.close();
  await once(server, 'close');
  await expect(dial(begin, signal)).rejects.toMatchObject({ code: 'gateway_unreachable' });
});

test('a page hears why it is refused, and when to come again', async () => {
  const answers = [
    { status: 403, code: 'device_revoked' },
    { status: 503, code: 'gateway_busy', retryAfterMs: 4200 },
  ];
  const refusing = createHttpServer();
  refusing.on('upgrade', (request, socket, head) => {
    const answer = answers.shift() ?? { status: 500, code: 'internal_error' };
    acceptor.refuseWebSocket({ request, socket, head }, answer);
  });
  refusing.listen(0, '127.0.0.1');
  await once(refusing, 'listening');
  opened.defer(() => {
    refusing.close();
    refusing.closeAllConnections();
  });
  const { port } = refusing.address() as AddressInfo;
  const dial = dialWebSocket({
    open: () => new WebSocket(`ws://127.0.0.1:${port}${tunnelPath}`, tunnelSubprotocol),
    clock: systemClock,
  });
  const begin = () => ({ receive() {}, drained() {}, closed() {} });
  const { signal } = new AbortController();
  await expect(dial(begin, signal)).rejects.toMatchObject({ code: 'device_revoked', details: {} });
  await expect(dial(begin, signal)).rejects.toMatchObject({
    code: 'gateway_busy',
    details: { retryAfterMs: 4200 },
  });
});
