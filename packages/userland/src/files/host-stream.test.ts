import { expect, test } from 'vitest';
import { guestCaller } from '../testing/call-guest.ts';
import { anonymousInode } from './anonymous-inode.ts';
import { type CreateStreamInode, openHostInput, openHostOutput } from './host-stream.ts';
import { createMemoryFileSystem } from './memory-file-system.ts';

test('streams to the outside are opened once more by their names, and are the same streams', async () => {
  const guest = guestCaller(createMemoryFileSystem({}, { modifiedMs: 0 }));
  const { kernel, task } = guest;
  const createInode: CreateStreamInode = (open) =>
    anonymousInode(kernel.root.system, 'fifo', { open });
  const { descriptors } = task.process;
  const input = openHostInput(
    (async function* () {
      yield new TextEncoder().encode('in');
    })(),
    createInode,
  );
  let written = '';
  const output = openHostOutput((bytes) => {
    written += new TextDecoder().decode(bytes);
  }, createInode);
  for (const file of [input, output]) descriptors.add(file);
  const again = guest.call('openat', -100, '/dev/stdout', 1);
  expect(guest.call('write', again, 'one', 3)).toBe(3);
  expect(guest.call('write', 1, 'two', 3)).toBe(3);
  expect(written).toBe('onetwo');
  const reader = guest.call('openat', -100, '/dev/stdin', 0);
  const { promise, resolve } = Promise.withResolvers<void>();
  input.changed.add(resolve);
  // Nothing is there before somebody asks.
  expect(guest.call('read', reader, guest.room, 10)).toBeLessThan(0);
  await promise;
  expect(guest.call('read', reader, guest.room, 10)).toBe(2);
});
