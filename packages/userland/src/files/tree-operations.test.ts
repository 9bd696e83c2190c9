import { expect, test } from 'vitest';
import { guestCaller } from '../testing/call-guest.ts';
import { createMemoryFileSystem } from './memory-file-system.ts';

const here = -100;
const create = 0o101;
const noSpace = -28;
const removeDirectory = 0x200;

test('files without bytes are no way to use up the host: names count, and are given back', () => {
  const files = createMemoryFileSystem({ '/old': { bytes: Uint8Array.of(1) } }, { modifiedMs: 0 });
  const guest = guestCaller(files);
  const { storage } = guest.kernel;
  // Of 16 MiB for files, so that there are fewer to be made.
  storage.take(15 * 1024 * 1024);
  const before = storage.used;
  let made = 0;
  for (;;) {
    const number = guest.call('openat', here, `/f${made}`, create, 0o600);
    if (number === noSpace) break;
    expect(number).toBeGreaterThanOrEqual(0);
    guest.call('close', number);
    made++;
  }
  expect(made).toBe(1024);
  expect(guest.call('mkdirat', here, '/folder', 0o700)).toBe(noSpace);
  expect(guest.call('symlinkat', '/old', here, '/link')).toBe(noSpace);
  expect(guest.call('linkat', here, '/old', here, '/other', 0)).toBe(noSpace);
  for (let at = 0; at < made; at++) guest.call('unlinkat', here, `/f${at}`, 0);
  expect(storage.used).toBe(before);
  expect(guest.call('mkdirat', here, '/folder', 0o700)).toBe(0);
  expect(guest.call('linkat', here, '/old', here, '/other', 0)).toBe(0);
  expect(guest.call('renameat', here, '/other', here, '/folder/same')).toBe(0);
  expect(guest.call('unlinkat', here, '/folder/same', 0)).toBe(0);
  expect(guest.call('unlinkat', here, '/folder', removeDirectory)).toBe(0);
  // It was a layer's, and costs nothing when it goes.
  expect(guest.call('unlinkat', here, '/old', 0)).toBe(0);
  expect(storage.used).toBe(before);
});
