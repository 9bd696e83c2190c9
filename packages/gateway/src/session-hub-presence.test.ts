import { type Log, silentLog, systemClock } from '@tapline/base';
import { deviceResource } from '@tapline/resources';
import { BufferPool, defaultLimits, Session as TunnelSession } from '@tapline/tunnel';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startTestHub, type TestHub, until } from './testing/start-test-hub.ts';
import { dialTunnel } from './tunnel/dial-tunnel.ts';
import { createMessageStream } from './tunnel/message-stream.ts';

let gateway: TestHub;
beforeEach(async () => {
  gateway = await startTestHub();
});
afterEach(() => gateway[Symbol.asyncDispose]());

describe('presence', () => {
  test('follows the session, with what the device reported and how wrong its clock is', async () => {
    const hour = 3_600_000;
    const clock = { ...systemClock, now: () => systemClock.now() + hour };
    const session = gateway.connect(await gateway.enrolled('d1'), { clock });
    await until(() => expect(session.epoch).toBe(1));
    const { status } = await gateway.client.get(deviceResource, 'd1');
    expect(status).toMatchObject({
      presence: { connected: true, epoch: 1 },
      agentVersion: '1.2.3',
      bootId: 'boot',
    });
    expect(status?.clockSkewSeconds).toBeCloseTo(3600, 0);
    await session[Symbol.asyncDispose]();
    await until(async () =>
      expect(await gateway.presence('d1')).toMatchObject({ connected: false, epoch: 1 }),
    );
  });

  test('is of the newest session: the end of an older one says nothing', async () => {
    const credentials = await gateway.enrolled('d1');
    const log: Log = { ...silentLog, with: () => log };
    const first = gateway.connect(credentials, {
      log,
      baseBackoffMs: 60_000,
      maxBackoffMs: 120_000,
    });
    await until(() => expect(first.epoch).toBe(1));
    const second = gateway.connect(credentials);
    await until(() => expect(second.epoch).toBe(2));
    await until(() => expect(first.epoch).toBeUndefined());
    await first[Symbol.asyncDispose]();
    await systemClock.sleep(100);
    expect(await gateway.presence('d1')).toMatchObject({ connected: true, epoch: 2 });
  });

  test('goes on counting after the control plane was started again', async () => {
    const session = gateway.connect(await gateway.enrolled('d1'));
    await until(() => expect(session.epoch).toBe(1));
    await gateway.hub[Symbol.asyncDispose]();
    gateway.hub = gateway.newHub();
    await until(() => expect(session.epoch).toBe(2));
    expect(await gateway.presence('d1')).toMatchObject({ connected: true, epoch: 2 });
  });

  test('ends for devices that do not come back after such a start', async () => {
    const session = gateway.connect(await gateway.enrolled('d1'));
    await until(() => expect(session.epoch).toBe(1));
    await gateway.hub[Symbol.asyncDispose]();
    await session[Symbol.asyncDispose]();
    expect(await gateway.presence('d1')).toMatchObject({ connected: true });
    gateway.hub = gateway.newHub();
    await until(async () =>
      expect(await gateway.presence('d1')).toMatchObject({ connected: false, epoch: 1 }),
    );
  });

  test('ends for a device that falls silent', async () => {
    await gateway.hub[Symbol.asyncDispose]();
    gateway.hub = gateway.newHub({ pingIntervalMs: 100 });
    const { tls } = await gateway.enrolled('d1');
    const mute = new TunnelSession({
      role: 'client',
      clock: systemClock,
      limits: defaultLimits,
      pool: new BufferPool(),
    });
    const leaving = new AbortController();
    const dialled = dialTunnel({ server: gateway.url, tls: () => tls, clock: systemClock })(
      (transport) => {
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
      },
      leaving.signal,
    );
    mute.onConnection((connected) => {
      if (!connected) return;
      const stream = mute.open({ class: 'control', name: 'session' });
      const report = { agentVersion: '1', platform: 'p', bootId: 'b', runtimes: [] };
      void createMessageStream(stream).send(
        new TextEncoder().encode(JSON.stringify({ kind: 'hello', now: 0, report })),
      );
    });
    await until(async () =>
      expect(await gateway.presence('d1')).toMatchObject({ connected: true }),
    );
    await until(async () =>
      expect(await gateway.presence('d1')).toMatchObject({ connected: false }),
    );
    expect(gateway.hub.session('d1')).toBeUndefined();
    leaving.abort();
    await dialled;
  });

  test('comes back by itself after the connection broke', async () => {
    const session = gateway.connect(await gateway.enrolled('d1'));
    await until(() => expect(session.epoch).toBe(1));
    gateway.cut();
    await until(() => expect(session.epoch).toBe(2));
    expect(await gateway.presence('d1')).toMatchObject({ connected: true, epoch: 2 });
  });

  test('after a resume, the device hears which epoch it had before', async () => {
    const heard: unknown[] = [];
    const session = gateway.connect(await gateway.enrolled('d1'), {
      onConnected: ({ epoch, previousEpoch }) => heard.push([previousEpoch, epoch]),
    });
    await until(() => expect(session.epoch).toBe(1));
    gateway.cut();
    await until(() => expect(session.epoch).toBe(2));
    await gateway.hub[Symbol.asyncDispose]();
    gateway.hub = gateway.newHub();
    await until(() => expect(session.epoch).toBe(3));
    // With another control plane the session is a new one.
    expect(heard).toEqual([
      [undefined, 1],
      [1, 2],
      [undefined, 3],
    ]);
  });

  test('is nothing that a control plane can change whose sessions are over', async () => {
    const credentials = await gateway.enrolled('d1');
    const stale = gateway.hub;
    const first = gateway.connect(credentials, { baseBackoffMs: 60_000, maxBackoffMs: 120_000 });
    await until(() => expect(first.epoch).toBe(1));
    // As one that was suspended, and started elsewhere meanwhile, on the same store.
    gateway.hub = gateway.newHub({ returnGraceMs: 60_000 });
    const second = gateway.connect(credentials);
    await until(() => expect(second.epoch).toBe(2));
    // It still believes in its session, hears a report, and sees it end.
    expect(stale.session('d1')?.epoch).toBe(1);
    first.refresh();
    await first[Symbol.asyncDispose]();
    await until(() => expect(stale.session('d1')).toBeUndefined());
    await stale[Symbol.asyncDispose]();
    expect(await gateway.presence('d1')).toMatchObject({ connected: true, epoch: 2 });
    expect(gateway.hub.session('d1')?.epoch).toBe(2);
  });

  test('of 100 devices that connect at once', async () => {
    const all = await Promise.all(
      Array.from({ length: 100 }, (_, index) => gateway.enrolled(`fleet-${index}`)),
    );
    const sessions = all.map((credentials) => gateway.connect(credentials));
    // A hundred handshakes of both sides in one process take their time on a busy machine.
    await vi.waitFor(() => expect(sessions.filter(({ epoch }) => epoch !== 1)).toEqual([]), {
      timeout: 25_000,
      interval: 50,
    });
    const { items } = await gateway.client.list(deviceResource);
    expect(items.filter(({ status }) => status?.presence?.connected === true)).toHaveLength(100);
  });
});
