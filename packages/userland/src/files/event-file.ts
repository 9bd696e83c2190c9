import { errno, LinuxError } from '../errno.ts';
import { Wait, WaitQueue } from '../kernel/wait-queue.ts';
import { viewOf } from '../memory/guest-memory.ts';
import { anonymousInode } from './anonymous-inode.ts';
import type { FileSystem } from './inode.ts';
import { type OpenFile, openFlags, pollEvents } from './open-file.ts';

const largest = 2n ** 64n - 2n;

/** eventfd: a number that is added to and taken. */
export function openEvent(
  system: FileSystem,
  how: { readonly value: bigint; readonly semaphore: boolean; readonly flags: number },
): OpenFile {
  const changed = new WaitQueue();
  let { value } = how;
  return {
    kind: 'event',
    inode: anonymousInode(system, 'character'),
    flags: openFlags.readWrite | how.flags,
    path: 'anon_inode:[eventfd]',
    changed,
    references: 0,
    read: (_, most) => {
      if (most < 8) throw new LinuxError(errno.invalid);
      if (value === 0n) return new Wait([changed]);
      const bytes = new Uint8Array(8);
      viewOf(bytes).setBigUint64(0, how.semaphore ? 1n : value, true);
      value = how.semaphore ? value - 1n : 0n;
      changed.wake();
      return bytes;
    },
    write: (_, bytes) => {
      if (bytes.length < 8) throw new LinuxError(errno.invalid);
      const added = viewOf(bytes).getBigUint64(0, true);
      if (added > largest) throw new LinuxError(errno.invalid);
      if (value + added > largest) return new Wait([changed]);
      value += added;
      changed.wake();
      // All of a longer buffer is taken, as far as write is concerned.
      return bytes.length;
    },
    poll: () => (value > 0n ? pollEvents.in : 0) | (value < largest ? pollEvents.out : 0),
  };
}
