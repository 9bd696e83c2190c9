import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { silentLog, systemClock, systemRng, TaplineError } from '@tapline/base';
import type { TunnelStream } from '@tapline/tunnel';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { connectedPair, type SessionPair } from '../testing/session-pair.ts';
import { createForwardGateway, type ForwardGateway } from './forward-gateway.ts';
import { parseForwardRequest } from './forward-request.ts';
import { createForwardServer } from './forward-server.ts';
import { encodeListener, forwardStreams } from './forward-streams.ts';
import { type Forward, type ForwardInit, openForward, type PortPair } from './open-forward.ts';
import { parsePortSet } from './port-set.ts';

/** What the gateway has of the device `edge`: its tunnel, where it is connected. */
let tunnel: SessionPair | undefined;
let gateway: ForwardGateway;
let http: HttpServer;
const opened: AsyncDisposable[] = [];
const servers: Server[] = [];
const sockets = new Set<Socket>();

async function connectDevice(policy: { connect?: string; listen?: string }): Promise<void> {
  const device = await connectedPair();
  const serving = createForwardServer({
    policy: {
      connect: parsePortSet([policy.connect ?? 'all']),
      listen: parsePortSet([policy.listen ?? 'all']),
    },
    log: silentLog,
  });
  device.client.onStream((stream) => void serving.serve(stream, device.client));
  device.server.onStream((stream) => void gateway.accepted(stream, device.server));
  tunnel = device;
}

beforeEach(async () => {
  gateway = createForwardGateway({
    openStream(_device, options) {
      if (tunnel === undefined) throw new TaplineError('device_offline', 'edge is not connected');
      return { tunnel: tunnel.server, stream: tunnel.server.open(options) };
    },
    clock: systemClock,
    log: silentLog,
  });
  http = createHttpServer();
  http.on('upgrade', (request, socket, head) => {
    const { searchParams: query } = new URL(request.url ?? '/', 'http://gateway');
    sockets.add(socket as Socket);
    const { signal } = new AbortController();
    const connected = { object: { metadata: { name: 'edge' } }, query, request, signal };
    const { upgrade } = gateway.handlers['devices/portforward'];
    void upgrade({ ...connected, identity: { user: 'dana' } }, socket, head);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]();
  gateway[Symbol.dispose]();
  tunnel?.[Symbol.dispose]();
  tunnel = undefined;
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  for (const server of servers.splice(0)) server.close();
  http.close();
});

/** Something that listens on this machine's loopback interface; which port. */
async function serve(take: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket.on('error', () => undefined));
    take(socket);
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

interface Opened {
  readonly forward: Forward;
  readonly listening: Promise<PortPair>;
  readonly problems: unknown[];
}

function open(pair: PortPair, more: Partial<ForwardInit> = {}): Opened {
  const listening = Promise.withResolvers<PortPair>();
  const problems: unknown[] = [];
  const forward = openForward({
    server: new URL(`http://127.0.0.1:${(http.address() as AddressInfo).port}`),
    path: '/devices/edge/portforward',
    direction: 'connect',
    pairs: [pair],
    streamClass: 'bulk',
    onListening: listening.resolve,
    onProblem: (_pair, error) => problems.push(error),
    clock: systemClock,
    rng: systemRng,
    ...more,
  });
  opened.push(forward);
  return { forward, listening: listening.promise, problems };
}

function dial(port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  // Whoever waits for a failure looks for it.
  sockets.add(socket.on('error', () => undefined));
  return socket;
}

async function textOf(socket: Socket): Promise<string> {
  let text = '';
  for await (const part of socket) text += String(part);
  return text;
}

async function failureOf(socket: Socket): Promise<string | undefined> {
  socket.resume();
  const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    socket.once('error', resolve).once('close', () => resolve(undefined));
  });
  return error?.code;
}

/** Answers all it was sent, once its client has ended. */
function answerLater(socket: Socket): void {
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  socket.on('end', () => socket.end(Buffer.concat(parts)));
}

describe('ports of a device', () => {
  test('a connection that is half closed goes on the other way, also many at once', async () => {
    await connectDevice({});
    const { listening } = open({ here: 0, device: await serve(answerLater) });
    const { here } = await listening;
    const bodies = Array.from({ length: 40 }, (_, index) => `${index} `.repeat(5000 + index));
    const answers = bodies.map(async (body) => {
      const socket = dial(here);
      socket.end(body);
      return await textOf(socket);
    });
    expect(await Promise.all(answers)).toEqual(bodies);
    await vi.waitFor(() => expect(tunnel?.server.stats().streams).toBe(0));
  });

  test('a reset is a reset at the other end, both ways', async () => {
    await connectDevice({});
    const taken: Socket[] = [];
    const { listening } = open({ here: 0, device: await serve((one) => taken.push(one)) });
    const { here } = await listening;
    const first = dial(here);
    await vi.waitFor(() => expect(taken).toHaveLength(1));
    taken[0]?.resetAndDestroy();
    expect(await failureOf(first)).toBe('ECONNRESET');
    const second = dial(here);
    await vi.waitFor(() => expect(taken).toHaveLength(2));
    second.resetAndDestroy();
    expect(await failureOf(taken[1] as Socket)).toBe('ECONNRESET');
  });

  test('who does not read holds its writer back, and nobody else', async () => {
    await connectDevice({});
    const stalled = await serve((socket) => socket.pause());
    const { listening } = open({ here: 0, device: stalled });
    const writer = dial((await listening).here);
    let written = 0;
    const block = Buffer.alloc(65_536);
    // Sockets' buffers and windows on the way take some megabytes.
    for (let quiet = 0; quiet < 20 && written < 256 * 1_048_576; quiet += 1) {
      while (writer.write(block)) {
        written += block.length;
        quiet = 0;
      }
      await systemClock.sleep(10);
    }
    expect(written).toBeLessThan(128 * 1_048_576);
    const other = open({ here: 0, device: await serve(answerLater) });
    const socket = dial((await other.listening).here);
    socket.end('there');
    expect(await textOf(socket)).toBe('there');
  });

  test('a port that is not allowed, or where nothing listens, ends the connection with why', async () => {
    const allowed = await serve(answerLater);
    await connectDevice({ connect: String(allowed) });
    const other = await serve(answerLater);
    const denied = open({ here: 0, device: other });
    expect(await failureOf(dial((await denied.listening).here))).toBe('ECONNRESET');
    await vi.waitFor(() => expect(denied.problems).toMatchObject([{ code: 'forward_denied' }]));
    servers[0]?.close();
    const closed = open({ here: 0, device: allowed });
    expect(await failureOf(dial((await closed.listening).here))).toBe('ECONNRESET');
    await vi.waitFor(() =>
      expect(closed.problems).toMatchObject([{ code: 'forward_port_closed' }]),
    );
  });

  test('beyond so many connections to a device, more are refused, and the others go on', async () => {
    await connectDevice({});
    const taken: Socket[] = [];
    const { listening, problems } = open({ here: 0, device: await serve((s) => taken.push(s)) });
    const { here } = await listening;
    const all = Array.from({ length: 130 }, () => dial(here));
    await vi.waitFor(() => expect(problems).toHaveLength(2), 5000);
    expect(problems).toMatchObject([{ code: 'too_many_streams' }, { code: 'too_many_streams' }]);
    await vi.waitFor(() => expect(taken).toHaveLength(128));
    for (const socket of all) socket.resetAndDestroy();
    await vi.waitFor(() => expect(tunnel?.server.stats().streams).toBe(0));
    dial(here);
    await vi.waitFor(() => expect(taken).toHaveLength(129));
  });

  test('a device that is away is reached again when it is back', async () => {
    const port = await serve(answerLater);
    const { listening, problems } = open({ here: 0, device: port });
    const { here } = await listening;
    expect(await failureOf(dial(here))).toBe('ECONNRESET');
    await vi.waitFor(() => expect(problems).toMatchObject([{ code: 'device_offline' }]));
    await connectDevice({});
    const socket = dial(here);
    socket.end('back');
    expect(await textOf(socket)).toBe('back');
  });

  test('what was not asked for is not served, whatever the user’s end says', async () => {
    await connectDevice({});
    const port = await serve(answerLater);
    const { listening } = open({ here: 0, device: port });
    await listening;
    expect(() => parseForwardRequest(new URLSearchParams('connect=80&listen=81'))).toThrow(
      'either',
    );
    expect(() => parseForwardRequest(new URLSearchParams('connect=0'))).toThrow('is no port');
    expect(() => parseForwardRequest(new URLSearchParams(''))).toThrow('either');
    // A user's end that names another port than the one in its request.
    const lying = open(
      { here: 0, device: await serve(answerLater) },
      { path: '/devices/edge/portforward?connect=1&x=' },
    );
    expect(await failureOf(dial((await lying.listening).here))).toBe('ECONNRESET');
    expect(lying.problems).toMatchObject([{ code: 'forward_denied' }]);
  });
});

describe('in reverse', () => {
  async function freePort(): Promise<number> {
    const port = await serve(() => undefined);
    const server = servers.pop() as Server;
    server.close();
    await once(server, 'close');
    return port;
  }

  test('programs of the device reach a port here while the forward is open', async () => {
    await connectDevice({});
    const device = await freePort();
    const here = await serve(answerLater);
    const { listening, forward } = open({ here, device }, { direction: 'listen' });
    await listening;
    const texts = ['one', 'two'.repeat(100_000)];
    const answers = texts.map(async (text) => await textOf(dial(device).end(text)));
    expect(await Promise.all(answers)).toEqual(texts);
    await forward[Symbol.asyncDispose]();
    await vi.waitFor(async () => expect(await failureOf(dial(device))).toBe('ECONNREFUSED'));
  });

  test('a port that is not allowed or taken ends the forward', async () => {
    await connectDevice({ listen: '1-1023' });
    const here = await serve(answerLater);
    const denied = open({ here, device: 2000 }, { direction: 'listen' });
    await expect(denied.forward.failed).rejects.toMatchObject({ code: 'forward_denied' });
    tunnel?.[Symbol.dispose]();
    await connectDevice({});
    const taken = open({ here, device: await serve(answerLater) }, { direction: 'listen' });
    await expect(taken.forward.failed).rejects.toMatchObject({ code: 'forward_listen_failed' });
  });

  test('a device that was away listens again, and one cannot hand over for another’s listener', async () => {
    await connectDevice({});
    const device = await freePort();
    const here = await serve(answerLater);
    const asked = vi.fn<(pair: PortPair) => void>();
    open({ here, device }, { direction: 'listen', onListening: asked });
    await vi.waitFor(() => expect(asked).toHaveBeenCalledTimes(1));
    tunnel?.[Symbol.dispose]();
    await connectDevice({});
    await vi.waitFor(() => expect(asked).toHaveBeenCalledTimes(2), 5000);
    expect(await textOf(dial(device).end('again'))).toBe('again');

    using stranger = await connectedPair();
    stranger.server.onStream((stream) => void gateway.accepted(stream, stranger.server));
    const streams: TunnelStream[] = [2, 4, 6].map((id) =>
      stranger.client.open({
        class: 'bulk',
        name: forwardStreams.accepted,
        header: encodeListener(id),
      }),
    );
    const ends = await Promise.allSettled(streams.map((stream) => stream.read()));
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  });
});
