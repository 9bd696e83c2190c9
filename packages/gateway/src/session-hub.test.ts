import { once } from 'node:events';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import {
  AsyncQueue,
  type Log,
  silentLog,
  systemClock,
  systemRng,
  TaplineError,
} from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { type Device, deviceKeyAnnotation, deviceResource } from '@tapline/resources';
import { temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { BufferPool, defaultLimits, Session as TunnelSession } from '@tapline/tunnel';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type CertificateAuthority, createCertificateAuthority } from './certificate-authority.ts';
import { connectSession, type Session, type SessionInit } from './connect-session.ts';
import { newDeviceKey, publicKeyOf } from './device-key.ts';
import { deviceUser } from './device-names.ts';
import { keyFingerprint } from './enrolment-proof.ts';
import { decodeOutcome } from './exec-outcome.ts';
import { createInstallConnectHandlers } from './install-connect-handlers.ts';
import type {
  ExecResponse,
  ExecResponseSchema,
} from './rpc/generated/tapline/device/v1/device_pb.ts';
import { startTestApi, type TestApi } from './testing/start-test-api.ts';
import { createSessionHub, type SessionHub } from './session-hub.ts';
import { decodeFrame, encodeFrame, streamProtocol } from './stream-frame.ts';
import { dialTunnel } from './tunnel/dial-tunnel.ts';
import { createMessageStream } from './tunnel/message-stream.ts';

let folder: TemporaryFolder;
let authority: CertificateAuthority;
let objects: TestApi;
let client: ResourceClient;
let server: Server;
let url: URL;
let hub: SessionHub;
const opened: AsyncDisposable[] = [];
const sockets = new Set<TLSSocket>();

const hubOptions = { answerTimeoutMs: 2000, pingIntervalMs: 100, returnGraceMs: 50 };

function newHub(more: Partial<typeof hubOptions> = {}): SessionHub {
  return createSessionHub({
    client,
    clock: systemClock,
    rng: systemRng,
    log: silentLog,
    ...hubOptions,
    ...more,
  });
}

beforeEach(async () => {
  folder = await temporaryFolder();
  authority = await createCertificateAuthority({ directory: folder.path, clock: systemClock });
  objects = await startTestApi();
  ({ client } = objects);
  hub = newHub();
  const { certificatePem: cert, privateKeyPem: key } = authority.issueServer({ hosts: [] });
  const ca = authority.certificatePem;
  server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: false });
  server.on('secureConnection', (socket) => sockets.add(socket));
  server.on('upgrade', (request, socket, head) => void hub.upgrade(request, socket, head));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]();
  await hub[Symbol.asyncDispose]();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  server.close();
  await objects[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

interface Credentials {
  readonly name: string;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
}

async function enrolled(name: string): Promise<Credentials> {
  const key = newDeviceKey();
  const publicKey = publicKeyOf(key);
  await client.create(deviceResource, {
    metadata: { name, annotations: { [deviceKeyAnnotation]: keyFingerprint(publicKey) } },
    spec: { platform: 'linux/amd64', role: 'device' },
  });
  const { certificatePem: cert } = authority.issueClient({
    user: deviceUser(name),
    groups: ['system:devices'],
    publicKey,
  });
  return { name, tls: { ca: authority.certificatePem, cert, key } };
}

function connect({ tls }: Credentials, more: Partial<SessionInit> = {}): Session {
  const session = connectSession({
    server: url,
    tls: () => tls,
    report: () => ({
      agentVersion: '1.2.3',
      platform: 'linux/amd64',
      bootId: 'boot',
      runtimes: ['runc'],
    }),
    service: {
      logs() {
        throw new TaplineError('nothing_here', 'no calls in this test');
      },
    },
    clock: systemClock,
    rng: systemRng,
    log: silentLog,
    baseBackoffMs: 20,
    maxBackoffMs: 100,
    ...more,
  });
  opened.push(session);
  return session;
}

async function presence(name: string): Promise<NonNullable<Device['status']>['presence']> {
  return (await client.get(deviceResource, name)).status?.presence;
}

function until(check: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(check, { timeout: 10_000, interval: 10 });
}

describe('presence', () => {
  test('follows the session, with what the device reported and how wrong its clock is', async () => {
    const hour = 3_600_000;
    const clock = { ...systemClock, now: () => systemClock.now() + hour };
    const session = connect(await enrolled('d1'), { clock });
    await until(() => expect(session.epoch).toBe(1));
    const { status } = await client.get(deviceResource, 'd1');
    expect(status).toMatchObject({
      presence: { connected: true, epoch: 1 },
      agentVersion: '1.2.3',
      bootId: 'boot',
    });
    expect(status?.clockSkewSeconds).toBeCloseTo(3600, 0);
    await session[Symbol.asyncDispose]();
    await until(async () =>
      expect(await presence('d1')).toMatchObject({ connected: false, epoch: 1 }),
    );
  });

  test('is of the newest session: the end of an older one says nothing', async () => {
    const credentials = await enrolled('d1');
    const log: Log = { ...silentLog, with: () => log };
    const first = connect(credentials, { log, baseBackoffMs: 60_000, maxBackoffMs: 120_000 });
    await until(() => expect(first.epoch).toBe(1));
    const second = connect(credentials);
    await until(() => expect(second.epoch).toBe(2));
    await until(() => expect(first.epoch).toBeUndefined());
    await first[Symbol.asyncDispose]();
    await systemClock.sleep(100);
    expect(await presence('d1')).toMatchObject({ connected: true, epoch: 2 });
  });

  test('goes on counting after the control plane was started again', async () => {
    const session = connect(await enrolled('d1'));
    await until(() => expect(session.epoch).toBe(1));
    await hub[Symbol.asyncDispose]();
    hub = newHub();
    await until(() => expect(session.epoch).toBe(2));
    expect(await presence('d1')).toMatchObject({ connected: true, epoch: 2 });
  });

  test('ends for devices that do not come back after such a start', async () => {
    const session = connect(await enrolled('d1'));
    await until(() => expect(session.epoch).toBe(1));
    await hub[Symbol.asyncDispose]();
    await session[Symbol.asyncDispose]();
    expect(await presence('d1')).toMatchObject({ connected: true });
    hub = newHub();
    await until(async () =>
      expect(await presence('d1')).toMatchObject({ connected: false, epoch: 1 }),
    );
  });

  test('ends for a device that falls silent', async () => {
    const { tls } = await enrolled('d1');
    const mute = new TunnelSession({
      role: 'client',
      clock: systemClock,
      limits: defaultLimits,
      pool: new BufferPool(),
    });
    const leaving = new AbortController();
    const dialled = dialTunnel({ server: url, tls: () => tls, clock: systemClock })((transport) => {
      const events = mute.connect(transport);
      let heard = 0;
      return {
        drained: () => events.drained(),
        closed: (cause) => events.closed(cause),
        // The answer to its greeting and to its hello; then it hears nothing any more.
        receive(bytes) {
          heard += bytes.length;
          if (heard < 400) events.receive(bytes);
        },
      };
    }, leaving.signal);
    mute.onConnection((connected) => {
      if (!connected) return;
      const stream = mute.open({ class: 'control', name: 'session' });
      const report = { agentVersion: '1', platform: 'p', bootId: 'b', runtimes: [] };
      void createMessageStream(stream).send(
        new TextEncoder().encode(JSON.stringify({ kind: 'hello', now: 0, report })),
      );
    });
    await until(async () => expect(await presence('d1')).toMatchObject({ connected: true }));
    await until(async () => expect(await presence('d1')).toMatchObject({ connected: false }));
    expect(hub.session('d1')).toBeUndefined();
    leaving.abort();
    await dialled;
  });

  test('comes back by itself after the connection broke', async () => {
    const session = connect(await enrolled('d1'));
    await until(() => expect(session.epoch).toBe(1));
    for (const socket of sockets) socket.destroy();
    await until(() => expect(session.epoch).toBe(2));
    expect(await presence('d1')).toMatchObject({ connected: true, epoch: 2 });
  });

  test('after a resume, the device hears which epoch it had before', async () => {
    const heard: unknown[] = [];
    const session = connect(await enrolled('d1'), {
      onConnected: ({ epoch, previousEpoch }) => heard.push([previousEpoch, epoch]),
    });
    await until(() => expect(session.epoch).toBe(1));
    for (const socket of sockets) socket.destroy();
    await until(() => expect(session.epoch).toBe(2));
    await hub[Symbol.asyncDispose]();
    hub = newHub();
    await until(() => expect(session.epoch).toBe(3));
    // With another control plane the session is a new one.
    expect(heard).toEqual([
      [undefined, 1],
      [1, 2],
      [undefined, 3],
    ]);
  });

  test('is nothing that a control plane can change whose sessions are over', async () => {
    const credentials = await enrolled('d1');
    const stale = hub;
    const first = connect(credentials, { baseBackoffMs: 60_000, maxBackoffMs: 120_000 });
    await until(() => expect(first.epoch).toBe(1));
    // As one that was suspended, and started elsewhere meanwhile, on the same store.
    hub = newHub({ returnGraceMs: 60_000 });
    const second = connect(credentials);
    await until(() => expect(second.epoch).toBe(2));
    // It still believes in its session, hears a report, and sees it end.
    expect(stale.session('d1')?.epoch).toBe(1);
    first.refresh();
    await first[Symbol.asyncDispose]();
    await until(() => expect(stale.session('d1')).toBeUndefined());
    await stale[Symbol.asyncDispose]();
    expect(await presence('d1')).toMatchObject({ connected: true, epoch: 2 });
    expect(hub.session('d1')?.epoch).toBe(2);
  });

  test('of 100 devices that connect at once', async () => {
    await hub[Symbol.asyncDispose]();
    hub = newHub({ pingIntervalMs: 10_000 });
    const all = await Promise.all(
      Array.from({ length: 100 }, (_, index) => enrolled(`fleet-${index}`)),
    );
    const sessions = all.map((credentials) => connect(credentials));
    // A hundred handshakes of both sides in one process take their time on a busy machine.
    await vi.waitFor(() => expect(sessions.filter(({ epoch }) => epoch !== 1)).toEqual([]), {
      timeout: 25_000,
      interval: 50,
    });
    const { items } = await client.list(deviceResource);
    expect(items.filter(({ status }) => status?.presence?.connected === true)).toHaveLength(100);
  });
});

describe('refused', () => {
  const refusal = async (credentials: Credentials): Promise<string> => {
    let message = '';
    const log: Log = {
      ...silentLog,
      info: (_text, fields) => (message = String(fields?.['error'])),
    };
    const session = connect(credentials, { log });
    await until(() => expect(message).not.toBe(''));
    expect(session.epoch).toBeUndefined();
    return message;
  };

  test('a device that was deleted', async () => {
    const credentials = await enrolled('d1');
    await client.delete(deviceResource, 'd1');
    expect(await refusal(credentials)).toContain('not enrolled');
  });

  test('the old key of a device that enrolled again', async () => {
    const credentials = await enrolled('d1');
    await client.delete(deviceResource, 'd1');
    await enrolled('d1');
    expect(await refusal(credentials)).toContain('another key');
  });

  test('a user who is no device', async () => {
    const { certificatePem: cert, privateKeyPem: key } = authority.issueIdentity({
      user: 'admin',
      groups: ['system:masters'],
    });
    expect(
      await refusal({ name: 'admin', tls: { ca: authority.certificatePem, cert, key } }),
    ).toContain('device certificate');
  });
});

/** A frame as bytes, whatever is in it. */
function rawFrame(
  type: number,
  { stream = 0, body = '' }: { readonly stream?: number; readonly body?: string | Buffer },
): Buffer {
  const bytes = Buffer.from(body);
  const header = Buffer.alloc(8);
  header.writeUInt8(type, 0);
  header.writeUInt16BE(bytes.length, 2);
  header.writeUInt32BE(stream, 4);
  return Buffer.concat([header, bytes]);
}

const hello = rawFrame(0x01, { body: 'TPLN\x01\x01' });
const opened1 = (header: Buffer): Buffer =>
  rawFrame(0x40, {
    stream: 1,
    body: Buffer.concat([Buffer.from('\0\0\0\0\0\0\0\0\x40\x01x'), header]),
  });

/** What a device sends that means ill or is broken, and the code of Close that it is put out with. */
const abuses: Readonly<Record<string, readonly [code: number, ...sent: readonly Buffer[]]>> = {
  'speaks another version': [8, rawFrame(0x01, { body: 'TPLN\x09\x09' })],
  'sends what is no greeting': [2, rawFrame(0x41, { stream: 1, body: 'x' })],
  'comes back with a token that is none': [
    9,
    rawFrame(0x03, {
      body: Buffer.concat([
        Buffer.from([0x54, 0x50, 0x4c, 0x4e, 1, 1, 0, 1, 0, 32]),
        Buffer.alloc(32, 7),
        Buffer.from([0, 2, 0, 8]),
        Buffer.alloc(8),
      ]),
    }),
  ],
  'sends a frame larger than any may be': [
    4,
    hello,
    Buffer.from([0x41, 0, 0xff, 0xff, 0, 0, 0, 1]),
  ],
  'opens a stream with a giant header': [5, hello, opened1(Buffer.alloc(8193))],
};

describe('a device that', () => {
  test.each(Object.keys(abuses))(
    '%s is put out with its code, and nobody else notices',
    async (name) => {
      const [code = 0, ...sent] = abuses[name] ?? [];
      const honest = connect(await enrolled('d1'), { service: echo });
      await until(() => expect(honest.epoch).toBe(1));
      const { send, next } = await openEcho('d1');
      const { tls } = await enrolled('d2');
      const heard: Buffer[] = [];
      const dial = dialTunnel({ server: url, tls: () => tls, clock: systemClock });
      const ended = dial((transport) => {
        for (const bytes of sent as readonly Buffer[]) transport.write(bytes);
        return {
          drained: () => undefined,
          closed: () => undefined,
          receive: (bytes) => void heard.push(Buffer.from(bytes)),
        };
      }, new AbortController().signal);
      await ended;
      expect(closeCodes(Buffer.concat(heard))).toEqual([code]);
      send(Uint8Array.of(1));
      expect(await next()).toMatchObject({ case: 'stdout', value: Uint8Array.of(1) });
      expect(honest.epoch).toBe(1);
    },
  );
});

/** The codes of the frames Close. */
function closeCodes(bytes: Buffer): readonly number[] {
  const codes: number[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    if (bytes[at] === 0x05) codes.push(bytes.readUInt16BE(at + 8));
    at += 8 + bytes.readUInt16BE(at + 2);
  }
  return codes;
}

type Service = SessionInit['service'];

/** Answers every line with itself. */
const echo: Service = {
  async *exec(inputs) {
    for await (const { input } of inputs) {
      if (input.case === 'start') yield { output: { case: 'accepted', value: {} } };
      if (input.case === 'stdin') yield { output: { case: 'stdout', value: input.value } };
    }
  },
};

/** A call of `echo`, with what it is sent from then on. */
async function openEcho(device: string) {
  const typed = new AsyncQueue<Uint8Array>();
  async function* inputs() {
    yield { input: { case: 'start' as const, value: { command: ['cat'] } } };
    for await (const value of typed) yield { input: { case: 'stdin' as const, value } };
  }
  const { rest } = await hub.call(device, (calls, options) => calls.exec(inputs(), options));
  const answers = rest[Symbol.asyncIterator]();
  return {
    send: (bytes: Uint8Array) => typed.push(bytes),
    next: async () => ((await answers.next()) as IteratorYieldResult<ExecResponse>).value.output,
  };
}

function askLogs(device: string) {
  return hub.call(device, (calls, options) => calls.logs({}, options));
}

describe('calls', () => {
  test('to a device that is not there', async () => {
    await enrolled('d1');
    await expect(askLogs('d1')).rejects.toMatchObject({ code: 'device_offline' });
  });

  test('that the device refuses, with its reason', async () => {
    const session = connect(await enrolled('d1'));
    await until(() => expect(session.epoch).toBe(1));
    await expect(askLogs('d1')).rejects.toMatchObject({
      code: 'stream_refused',
      details: { code: 'nothing_here' },
    });
  });

  test('that the device does not answer', async () => {
    const session = connect(await enrolled('d1'), {
      service: {
        async *logs(_request, { signal }) {
          await once(signal, 'abort');
          yield {};
        },
      },
    });
    await until(() => expect(session.epoch).toBe(1));
    await expect(askLogs('d1')).rejects.toMatchObject({ code: 'stream_timeout' });
  });

  test('are so many at once, and no more', async () => {
    const session = connect(await enrolled('d1'), { service: echo });
    await until(() => expect(session.epoch).toBe(1));
    const open = await Promise.all(Array.from({ length: 64 }, () => openEcho('d1')));
    await expect(openEcho('d1')).rejects.toMatchObject({ code: 'too_many_streams' });
    open[63]?.send(Uint8Array.of(1));
    expect(await open[63]?.next()).toMatchObject({ value: Uint8Array.of(1) });
  });

  test('go on where the connection breaks, and the device has the next epoch', async () => {
    const session = connect(await enrolled('d1'), { service: echo });
    await until(() => expect(session.epoch).toBe(1));
    const call = await openEcho('d1');
    for (const socket of sockets) socket.destroy();
    await until(() => expect(hub.session('d1')).toBeUndefined());
    await expect(openEcho('d1')).rejects.toMatchObject({ code: 'device_offline' });
    call.send(Uint8Array.of(9));
    expect(await call.next()).toMatchObject({ value: Uint8Array.of(9) });
    await until(() => expect(session.epoch).toBe(2));
  });

  test('of a device that enrolled again do not go on with its old key', async () => {
    const session = connect(await enrolled('d1'), { service: echo });
    await until(() => expect(session.epoch).toBe(1));
    const call = await openEcho('d1');
    await client.delete(deviceResource, 'd1');
    await enrolled('d1');
    hub.disconnect('d1');
    await expect(call.next()).rejects.toMatchObject({ code: 'unauthorized' });
    await systemClock.sleep(300);
    expect(session.epoch).toBeUndefined();
    expect(hub.session('d1')).toBeUndefined();
  });

  test('end with the session', async () => {
    const session = connect(await enrolled('d1'), { service: echo });
    await until(() => expect(session.epoch).toBe(1));
    const call = await openEcho('d1');
    const replaced = connect({ name: 'd1', tls: await sameDevice() }, { baseBackoffMs: 10_000 });
    void replaced;
    await expect(call.next()).rejects.toMatchObject({ code: 'tunnel_superseded' });

    async function sameDevice(): Promise<Credentials['tls']> {
      await client.delete(deviceResource, 'd1');
      return (await enrolled('d1')).tls;
    }
  });
});

describe('a user', () => {
  const install = {
    metadata: { name: 'd1.jq', uid: 'u1' },
    spec: { device: 'd1' },
  };
  let api: ReturnType<typeof createHttpServer>;
  let apiUrl: string;

  beforeEach(async () => {
    const handlers = createInstallConnectHandlers({ hub, log: silentLog });
    api = createHttpServer((request, response) => {
      const query = new URL(request.url ?? '/', 'http://api').searchParams;
      const gone = new AbortController();
      response.on('close', () => gone.abort());
      handlers['installs/log']
        .handle?.({ object: install, query, request, signal: gone.signal }, response)
        .catch((error: unknown) => {
          response.statusCode = 500;
          response.end(error instanceof TaplineError ? error.code : String(error));
        });
    });
    api.on('upgrade', (request, socket, head) => {
      const query = new URL(request.url ?? '/', 'http://api').searchParams;
      const { signal } = new AbortController();
      handlers['installs/exec']
        .upgrade?.({ object: install, query, request, signal }, socket, head)
        .catch((error: unknown) =>
          socket.end(
            `HTTP/1.1 503 No\r\nx-code: ${error instanceof TaplineError ? error.code : String(error)}\r\n\r\n`,
          ),
        );
    });
    api.listen(0, '127.0.0.1');
    await once(api, 'listening');
    apiUrl = `127.0.0.1:${(api.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    api.closeAllConnections();
    api.close();
  });

  test('runs a program with its input, its output and its exit code', async () => {
    const starts: unknown[] = [];
    const exited: MessageInitShape<typeof ExecResponseSchema> = {
      output: { case: 'outcome', value: { outcome: { case: 'exitCode', value: 5 } } },
    };
    const session = connect(await enrolled('d1'), {
      service: {
        async *exec(inputs) {
          const input: Uint8Array[] = [];
          for await (const message of inputs) {
            if (message.input.case === 'start') {
              const { install: of, command, stdin } = message.input.value;
              starts.push([of?.name, of?.uid, command, stdin]);
              yield { output: { case: 'accepted', value: {} } };
            } else if (message.input.case === 'stdin') input.push(message.input.value);
          }
          yield { output: { case: 'stdout', value: Buffer.concat(input) } };
          yield { output: { case: 'stderr', value: Buffer.from('careful') } };
          yield exited;
        },
      },
    });
    await until(() => expect(session.epoch).toBe(1));
    const query = 'command=jq&command=.a&stdin=true';
    const user = new WebSocket(`ws://${apiUrl}/exec?${query}`, streamProtocol);
    const frames: string[] = [];
    user.on('message', (data: Buffer) => {
      const frame = decodeFrame(data);
      if (frame.kind === 'error') {
        frames.push(`error ${JSON.stringify(decodeOutcome(frame.bytes))}`);
      } else if (frame.kind !== 'close' && frame.bytes.length > 0) {
        frames.push(`${frame.kind} ${Buffer.from(frame.bytes).toString()}`);
      }
    });
    await once(user, 'open');
    user.send(encodeFrame({ kind: 'stdin', bytes: Buffer.from('{"a"') }));
    user.send(encodeFrame({ kind: 'stdin', bytes: Buffer.from(':1}') }));
    user.send(encodeFrame({ kind: 'close', channel: 0 }));
    await once(user, 'close');
    expect(starts).toEqual([['d1.jq', 'u1', ['jq', '.a'], true]]);
    expect(frames).toEqual([
      'stdout {"a":1}',
      'stderr careful',
      'error {"kind":"exited","exitCode":5}',
    ]);
  });

  test('hears before the connection stands that the device is offline', async () => {
    const user = new WebSocket(`ws://${apiUrl}/exec?command=true`, streamProtocol);
    const [, response] = (await once(user, 'unexpected-response')) as [
      unknown,
      { headers: Record<string, string> },
    ];
    expect(response.headers['x-code']).toBe('device_offline');
    user.on('error', () => undefined);
    user.terminate();
  });

  test('hears of it when the device goes away in the middle', async () => {
    const session = connect(await enrolled('d1'), {
      service: {
        async *exec(_inputs, { signal }) {
          yield { output: { case: 'accepted', value: {} } };
          yield { output: { case: 'stdout', value: Buffer.from('begun') } };
          await once(signal, 'abort');
        },
      },
    });
    await until(() => expect(session.epoch).toBe(1));
    const user = new WebSocket(`ws://${apiUrl}/exec?command=true`, streamProtocol);
    const outcomes: unknown[] = [];
    user.on('message', (data: Buffer) => {
      const frame = decodeFrame(data);
      if (frame.kind === 'error') outcomes.push(decodeOutcome(frame.bytes));
      else if (frame.kind === 'stdout' && frame.bytes.length > 0) {
        void session[Symbol.asyncDispose]();
      }
    });
    await once(user, 'close');
    expect(outcomes).toEqual([
      { kind: 'failed', code: 'device_offline', message: 'the device went away' },
    ]);
  });

  test('reads logs as they come', async () => {
    const session = connect(await enrolled('d1'), {
      service: {
        async *logs({ tailLines }) {
          yield await Promise.resolve({});
          yield { output: Buffer.from(`tail ${tailLines}\n`) };
          yield { output: Buffer.from('more\n') };
        },
      },
    });
    await until(() => expect(session.epoch).toBe(1));
    const response = await fetch(`http://${apiUrl}/log?tailLines=7`);
    expect(await response.text()).toBe('tail 7\nmore\n');
    const wrong = await fetch(`http://${apiUrl}/log?tailLines=-1`);
    expect(await wrong.text()).toBe('bad_request');
  });
});
