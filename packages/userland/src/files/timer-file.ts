import { errno, LinuxError } from '../errno.ts';
import type { KernelTimer, Timers } from '../kernel/timers.ts';
import { Wait, WaitQueue } from '../kernel/wait-queue.ts';
import { viewOf } from '../memory/guest-memory.ts';
import { anonymousInode } from './anonymous-inode.ts';
import type { FileSystem } from './inode.ts';
import { type OpenFile, openFlags, pollEvents } from './open-file.ts';

/** timerfd: says how often its time has come. */
export interface TimerFile extends OpenFile {
  readonly kind: 'timer';
  /** CLOCK_REALTIME or CLOCK_MONOTONIC. */
  readonly clock: number;
  readonly timer: KernelTimer | undefined;
  set(timer: { readonly dueMs: number; readonly intervalMs: number } | undefined): void;
}

export function openTimer(
  system: FileSystem,
  how: { readonly timers: Timers; readonly clock: number; readonly flags: number },
): TimerFile {
  const changed = new WaitQueue();
  let timer: KernelTimer | undefined;
  let count = 0;
  return {
    kind: 'timer',
    clock: how.clock,
    get timer() {
      return timer;
    },
    inode: anonymousInode(system, 'character'),
    flags: openFlags.readWrite | how.flags,
    path: 'anon_inode:[timerfd]',
    changed,
    references: 0,
    read: (_, most) => {
      if (most < 8) throw new LinuxError(errno.invalid);
      if (count === 0) return new Wait([changed]);
      const bytes = new Uint8Array(8);
      viewOf(bytes).setBigUint64(0, BigInt(count), true);
      count = 0;
      return bytes;
    },
    poll: () => (count > 0 ? pollEvents.in : 0),
    set(next) {
      how.timers.remove(timer);
      count = 0;
      timer = undefined;
      if (next === undefined) return;
      const made: KernelTimer = {
        ...next,
        fire: (times) => {
          count += times;
          if (made.intervalMs <= 0) timer = undefined;
          changed.wake();
        },
      };
      timer = made;
      how.timers.add(made);
    },
    close: () => how.timers.remove(timer),
  };
}

export function isTimerFile(file: OpenFile): file is TimerFile {
  return file.kind === 'timer';
}
