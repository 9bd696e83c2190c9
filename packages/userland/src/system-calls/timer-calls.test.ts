import { expect, test } from 'vitest';
import { createMemoryFileSystem } from '../files/memory-file-system.ts';
import { guestCaller } from '../testing/call-guest.ts';

const invalid = -22;
const monotonic = 1;
const userSignal = 10;

test('a timer sends its signal, with its value, as often as it was set to', () => {
  const guest = guestCaller(createMemoryFileSystem({}, { modifiedMs: 0 }));
  const { kernel, room, roomBytes, task } = guest;
  const view = new DataView(roomBytes.buffer, roomBytes.byteOffset);
  const { process } = task;
  // Blocked, so that it is kept.
  task.mask = 1n << BigInt(userSignal - 1);
  view.setBigUint64(0, 7n, true);
  view.setInt32(8, userSignal, true);
  expect(guest.call('timer_create', monotonic, room, room + 64n)).toBe(0);
  const id = view.getInt32(64, true);
  // Every 20 ms, after 50.
  view.setBigInt64(108, 20_000_000n, true);
  view.setBigInt64(124, 50_000_000n, true);
  expect(guest.call('timer_settime', id, 0, room + 100n, 0)).toBe(0);
  const now = kernel.clock.monotonic();
  kernel.timers.fireDue(now + 49);
  expect(process.pending.size).toBe(0);
  kernel.timers.fireDue(now + 91);
  expect(process.pending.get(userSignal)).toMatchObject({ code: -2, value: 7n, pid: id });
  expect(guest.call('timer_getoverrun', id)).toBe(2);
  expect(guest.call('timer_delete', id)).toBe(0);
  expect(kernel.timers.nextMs()).toBeUndefined();
  expect(guest.call('timer_gettime', id, room)).toBe(invalid);
});

test('niceness is kept, within its bounds', () => {
  const guest = guestCaller(createMemoryFileSystem({}, { modifiedMs: 0 }));
  expect(guest.call('setpriority', 0, 0, 50)).toBe(0);
  expect(guest.call('getpriority', 0, 0)).toBe(1);
  expect(guest.call('getpriority', 0, 4711)).toBe(-3);
});
