import { createClient, type ServiceImpl } from '@connectrpc/connect';
import { systemClock, TaplineError } from '@tapline/base';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { connectedPair, type SessionPair } from '../testing/session-pair.ts';
import { beginCall } from './begin-call.ts';
import { refuseStale } from './call-epoch.ts';
import { callStream } from './call-head.ts';
import { createCallServer } from './create-call-server.ts';
import { createCallTransport } from './create-call-transport.ts';
import { createDeviceCalls } from './create-device-calls.ts';
import { DeviceService } from './generated/tapline/device/v1/device_pb.ts';

let pair: SessionPair;
afterEach(() => pair[Symbol.dispose]());

type Service = Partial<ServiceImpl<typeof DeviceService>>;

/** Calls from one end of a tunnel to the other; either may be the one that serves. */
async function calling(service: Service, serving: 'client' | 'server' = 'client') {
  pair = await connectedPair();
  const calls = createCallServer((router) => router.service(DeviceService, service));
  pair[serving].onStream((stream) => void calls.serve(stream));
  const caller = pair[serving === 'client' ? 'server' : 'client'];
  const transport = createCallTransport((_path, header) =>
    caller.open({ class: 'interactive', name: callStream, header }),
  );
  return createClient(DeviceService, transport);
}

async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const echo: Service = {
  async *exec(inputs) {
    for await (const { input } of inputs) {
      if (input.case === 'stdin') yield { output: { case: 'stdout', value: input.value } };
    }
  },
};

describe.each(['client', 'server'] as const)('calls that the %s serves', (serving) => {
  test('carry messages both ways, also larger than a frame, until both ends have ended', async () => {
    const client = await calling(echo, serving);
    const parts = [10, 100_000, 1_000_000].map((size) => new Uint8Array(size).fill(size % 251));
    async function* inputs() {
      for (const value of parts) {
        yield { input: { case: 'stdin' as const, value } };
        await systemClock.sleep(1);
      }
    }
    const answers = await all(client.exec(inputs()));
    expect(answers.map(({ output }) => output.value)).toEqual(parts);
    await vi.waitFor(() => expect(pair.client.stats().streams).toBe(0));
    expect(pair.server.stats().streams).toBe(0);
  });
});

describe('a call', () => {
  test('whose peer fails has the stable code, before and after its first answer', async () => {
    const client = await calling({
      logs({ follow }) {
        if (!follow) throw new TaplineError('nothing_runs', 'jq runs on demand — as “jq”');
        return (async function* () {
          yield await Promise.resolve({});
          throw new TaplineError('log_lost', 'it is gone');
        })();
      },
    });
    await expect(all(client.logs({}))).rejects.toMatchObject({
      code: 'stream_refused',
      message: 'jq runs on demand — as “jq”',
      details: { code: 'nothing_runs' },
    });
    await expect(all(client.logs({ follow: true }))).rejects.toMatchObject({
      code: 'stream_refused',
      details: { code: 'log_lost' },
    });
    await expect(all(client.observeNode({}))).rejects.toMatchObject({ code: 'call_unknown' });
  });

  test('passes its deadline and its end on to whoever serves it', async () => {
    const reasons: unknown[] = [];
    const client = await calling({
      async *logs(_request, { signal, timeoutMs }) {
        yield {};
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        reasons.push(timeoutMs() === undefined ? 'cancelled' : 'deadline');
      },
    });
    await expect(all(client.logs({}, { timeoutMs: 50 }))).rejects.toMatchObject({
      code: 'call_deadline_exceeded',
    });
    await vi.waitFor(() => expect(reasons).toEqual(['deadline']));
    const cancelling = new AbortController();
    const lines = all(client.logs({}, { signal: cancelling.signal }));
    await systemClock.sleep(20);
    cancelling.abort();
    await expect(lines).rejects.toMatchObject({ code: 'call_cancelled' });
    await vi.waitFor(() => expect(reasons).toEqual(['deadline', 'cancelled']));
    await vi.waitFor(() => expect(pair.client.stats().streams).toBe(0));
  });

  test('holds back whoever answers faster than it is read', async () => {
    let sent = 0;
    const client = await calling({
      async *logs() {
        const output = new Uint8Array(65_536);
        for (; sent < 1000; sent += 1) yield await Promise.resolve({ output });
      },
    });
    const lines = client.logs({})[Symbol.asyncIterator]();
    await lines.next();
    for (let before = -1; before !== sent;) {
      before = sent;
      await systemClock.sleep(100);
    }
    expect(sent).toBeLessThan(200);
    let read = 1;
    while ((await lines.next()).done !== true) read += 1;
    expect(read).toBe(1000);
  });

  test('that nobody answers in time, or whose tunnel ends, is over', async () => {
    const client = await calling({
      async *logs(_request, { signal }) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        yield {};
      },
    });
    const init = {
      device: 'd1',
      start: (options: { readonly signal: AbortSignal }) => client.logs({}, options),
      clock: systemClock,
    };
    await expect(beginCall({ ...init, timeoutMs: 50 })).rejects.toMatchObject({
      code: 'stream_timeout',
    });
    const lost = beginCall({ ...init, timeoutMs: 10_000 });
    await systemClock.sleep(20);
    pair.server.close();
    await expect(lost).rejects.toMatchObject({ code: 'device_offline' });
  });

  test('of an epoch that is over is refused, and one that has begun goes on', async () => {
    pair = await connectedPair();
    const state = { gateway: 3, device: 3 };
    const calls = createCallServer((router) => router.service(DeviceService, echo), {
      interceptors: [refuseStale(() => ({ leastEpoch: () => state.device, isNewest: () => true }))],
    });
    pair.client.onStream((stream) => void calls.serve(stream));
    const client = createDeviceCalls('d1', { tunnel: pair.server, epoch: () => state.gateway });
    const more = Promise.withResolvers<undefined>();
    async function* one() {
      yield { input: { case: 'stdin' as const, value: Uint8Array.of(1) } };
      await more.promise;
      yield { input: { case: 'stdin' as const, value: Uint8Array.of(2) } };
    }
    const answers = client.exec(one())[Symbol.asyncIterator]();
    expect(await answers.next()).toMatchObject({ done: false });
    state.device = 4;
    more.resolve(undefined);
    expect(await answers.next()).toMatchObject({ done: false });
    expect(await answers.next()).toMatchObject({ done: true });
    await expect(all(client.exec(one()))).rejects.toMatchObject({
      code: 'stream_refused',
      details: { code: 'epoch_stale' },
    });
    state.gateway = 4;
    expect(await all(client.exec(one()))).toHaveLength(2);
  });

  test('of a service that the peer does not have is said to be unknown', async () => {
    pair = await connectedPair();
    const calls = createCallServer(() => undefined);
    pair.client.onStream((stream) => void calls.serve(stream));
    const open = (_path: string, header: Uint8Array) =>
      pair.server.open({ class: 'bulk', name: callStream, header });
    const client = createClient(DeviceService, createCallTransport(open));
    await expect(all(client.logs({}))).rejects.toMatchObject({
      code: 'call_unknown',
      message: '/tapline.device.v1.DeviceService/Logs is not served here',
    });
  });

  test('that is malformed is refused', async () => {
    await calling(echo);
    const malformed = pair.server.open({
      class: 'interactive',
      name: callStream,
      header: new TextEncoder().encode('nonsense'),
    });
    await expect(malformed.read()).rejects.toMatchObject({ code: 'tunnel_failed' });
  });
});
