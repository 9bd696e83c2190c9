import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { ManualClock } from '@tapline/base';
import { eventually } from '@tapline/testing';
import { expect, test } from 'vitest';
import { dialTunnel } from './dial-tunnel.ts';

test('a gateway that has not answered yet is given up when the address it was called from is gone', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const clock = new ManualClock();
  const has = new Set(['127.0.0.1']);
  let looks = 0;
  const dial = dialTunnel({
    server: new URL(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`),
    addresses() {
      looks += 1;
      return has;
    },
    clock,
  });
  const ended = dial(() => {
    throw new Error('nobody answered');
  }, new AbortController().signal).catch((error: unknown) => error);
  await eventually('the address is watched', () => looks > 0);
  has.delete('127.0.0.1');
  await clock.advance(2000);
  expect(await ended).toMatchObject({
    code: 'gateway_unreachable',
    cause: { message: 'this machine has the address 127.0.0.1 no more' },
  });
  silent.close();
});
