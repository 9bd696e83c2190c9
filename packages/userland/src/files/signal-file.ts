import { errno, LinuxError } from '../errno.ts';
import { takeSignal } from '../kernel/send-signal.ts';
import { signalBit } from '../kernel/signals.ts';
import type { Task } from '../kernel/task.ts';
import { Wait, type WaitQueue } from '../kernel/wait-queue.ts';
import { viewOf } from '../memory/guest-memory.ts';
import { anonymousInode } from './anonymous-inode.ts';
import type { FileSystem } from './inode.ts';
import { type OpenFile, openFlags, pollEvents } from './open-file.ts';

const recordSize = 128;

/** signalfd: signals that are blocked, to be read. */
export interface SignalFile extends OpenFile {
  readonly kind: 'signal';
  mask: bigint;
}

export function openSignals(
  system: FileSystem,
  how: {
    readonly mask: bigint;
    readonly flags: number;
    readonly owner: Task;
    readonly changed: WaitQueue;
  },
): SignalFile {
  const { owner, changed } = how;
  const file: SignalFile = {
    kind: 'signal',
    mask: how.mask,
    inode: anonymousInode(system, 'character'),
    flags: openFlags.readWrite | how.flags,
    path: 'anon_inode:[signalfd]',
    changed,
    references: 0,
    read: (task, most) => {
      if (most < recordSize) throw new LinuxError(errno.invalid);
      const number = pendingOf(task, file.mask);
      if (number === undefined) return new Wait([changed]);
      const info = takeSignal(task, number);
      const bytes = new Uint8Array(recordSize);
      const view = viewOf(bytes);
      view.setUint32(0, info.signal, true);
      view.setInt32(8, info.code, true);
      view.setUint32(12, info.pid ?? 0, true);
      view.setUint32(16, info.uid ?? 0, true);
      view.setInt32(40, info.status ?? 0, true);
      return bytes;
    },
    poll: () => (pendingOf(owner, file.mask) === undefined ? 0 : pollEvents.in),
  };
  return file;
}

function pendingOf(task: Task, mask: bigint): number | undefined {
  for (const pending of [task.pending, task.process.pending]) {
    for (const number of pending.keys()) if ((signalBit(number) & mask) !== 0n) return number;
  }
  return undefined;
}

export function isSignalFile(file: OpenFile): file is SignalFile {
  return file.kind === 'signal';
}
