import { ManualClock } from '@tapline/base';
import { expect, test } from 'vitest';
import { ownAddresses, watchOwnAddress } from './watch-own-address.ts';

/** A connection from an address, and how it ended. */
function connection(localAddress: string) {
  const state: { ended?: string } = {};
  return {
    state,
    socket: {
      localAddress,
      destroy: (error?: Error) => (state.ended = error?.message ?? '') as never,
    },
  };
}

test('a connection ends when its address is gone, and not before', async () => {
  const clock = new ManualClock();
  const { signal } = new AbortController();
  const has = new Set(['127.0.0.1', 'fe80::1', '10.0.0.2']);
  const wifi = connection('10.0.0.2');
  const local = connection('fe80::1%eth0');
  const elsewhere = connection('192.0.2.1');
  for (const { socket } of [wifi, local, elsewhere]) {
    void watchOwnAddress(socket, { addresses: () => has, clock, signal });
  }
  await clock.advance(10_000);
  has.delete('10.0.0.2');
  has.add('10.0.1.2');
  await clock.advance(2000);
  expect(wifi.state.ended).toBe('this machine has the address 10.0.0.2 no more');
  await clock.advance(10_000);
  expect([local.state.ended, elsewhere.state.ended]).toEqual([undefined, undefined]);
});

test('the list has the loopback interface', () => {
  expect(ownAddresses()).toContain('127.0.0.1');
});
