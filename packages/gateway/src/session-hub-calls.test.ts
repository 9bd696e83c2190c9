import { once } from 'node:events';
import { systemClock } from '@tapline/base';
import { deviceResource } from '@tapline/resources';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Credentials,
  echo,
  startTestHub,
  type TestHub,
  until,
} from './testing/start-test-hub.ts';

let gateway: TestHub;
beforeEach(async () => {
  gateway = await startTestHub();
});
afterEach(() => gateway[Symbol.asyncDispose]());

function askLogs(device: string) {
  return gateway.hub.call(device, (calls, options) => calls.logs({}, options));
}

describe('calls', () => {
  test('to a device that is not there', async () => {
    await gateway.enrolled('d1');
    await expect(askLogs('d1')).rejects.toMatchObject({ code: 'device_offline' });
  });

  test('that the device refuses, with its reason', async () => {
    const session = gateway.connect(await gateway.enrolled('d1'));
    await until(() => expect(session.epoch).toBe(1));
    await expect(askLogs('d1')).rejects.toMatchObject({
      code: 'stream_refused',
      details: { code: 'nothing_here' },
    });
  });

  test('that the device does not answer', async () => {
    const session = gateway.connect(await gateway.enrolled('d1'), {
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
    const session = gateway.connect(await gateway.enrolled('d1'), { service: echo });
    await until(() => expect(session.epoch).toBe(1));
    const open = await Promise.all(Array.from({ length: 64 }, () => gateway.openEcho('d1')));
    await expect(gateway.openEcho('d1')).rejects.toMatchObject({ code: 'too_many_streams' });
    open[63]?.send(Uint8Array.of(1));
    expect(await open[63]?.next()).toMatchObject({ value: Uint8Array.of(1) });
  });

  test('go on where the connection breaks, and the device has the next epoch', async () => {
    const session = gateway.connect(await gateway.enrolled('d1'), { service: echo });
    await until(() => expect(session.epoch).toBe(1));
    const call = await gateway.openEcho('d1');
    gateway.cut();
    await until(() => expect(gateway.hub.session('d1')).toBeUndefined());
    await expect(gateway.openEcho('d1')).rejects.toMatchObject({ code: 'device_offline' });
    call.send(Uint8Array.of(9));
    expect(await call.next()).toMatchObject({ value: Uint8Array.of(9) });
    await until(() => expect(session.epoch).toBe(2));
  });

  test('of a device that enrolled again do not go on with its old key', async () => {
    const session = gateway.connect(await gateway.enrolled('d1'), { service: echo });
    await until(() => expect(session.epoch).toBe(1));
    const call = await gateway.openEcho('d1');
    await gateway.client.delete(deviceResource, 'd1');
    await gateway.enrolled('d1');
    gateway.hub.disconnect('d1');
    await expect(call.next()).rejects.toMatchObject({ code: 'unauthorized' });
    await systemClock.sleep(300);
    expect(session.epoch).toBeUndefined();
    expect(gateway.hub.session('d1')).toBeUndefined();
  });

  test('end with the session', async () => {
    const session = gateway.connect(await gateway.enrolled('d1'), { service: echo });
    await until(() => expect(session.epoch).toBe(1));
    const call = await gateway.openEcho('d1');
    const replaced = gateway.connect(
      { name: 'd1', tls: await sameDevice() },
      { baseBackoffMs: 10_000 },
    );
    void replaced;
    await expect(call.next()).rejects.toMatchObject({ code: 'tunnel_superseded' });

    async function sameDevice(): Promise<Credentials['tls']> {
      await gateway.client.delete(deviceResource, 'd1');
      return (await gateway.enrolled('d1')).tls;
    }
  });
});
