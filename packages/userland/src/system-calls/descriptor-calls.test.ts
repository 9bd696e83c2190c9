import { expect, test } from 'vitest';
import { createMemoryFileSystem } from '../files/memory-file-system.ts';
import { guestCaller } from '../testing/call-guest.ts';

const writeOnly = 1;

test('a pipe is opened anew by its name in /proc, from both ends, and waits for nobody', () => {
  const guest = guestCaller(createMemoryFileSystem({}, { modifiedMs: 0 }));
  expect(guest.call('pipe2', guest.room, 0)).toBe(0);
  const view = new DataView(guest.roomBytes.buffer, guest.roomBytes.byteOffset);
  const [reading, writing] = [view.getInt32(0, true), view.getInt32(4, true)];
  const reader = guest.call('openat', -100, `/proc/self/fd/${reading}`, 0);
  const writer = guest.call('openat', -100, `/proc/self/fd/${reading}`, writeOnly);
  expect(guest.call('write', writer, 'three', 3)).toBe(3);
  expect(guest.call('read', reader, guest.room, 10)).toBe(3);
  expect(guest.roomBytes.subarray(0, 3)).toEqual(new TextEncoder().encode('thr'));
  expect(guest.call('close', writing)).toBe(0);
  expect(guest.call('close', writer)).toBe(0);
  expect(guest.call('read', reader, guest.room, 10)).toBe(0);
});
