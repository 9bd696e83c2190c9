import { errno, LinuxError } from '../errno.ts';
import { sendBrokenPipe } from '../kernel/deliver-signals.ts';
import { Wait, WaitQueue } from '../kernel/wait-queue.ts';
import { viewOf, guestRoom } from '../memory/guest-memory.ts';
import { ByteQueue } from './byte-queue.ts';
import type { Inode } from './inode.ts';
import { type OpenFile, openFlags, pollEvents } from './open-file.ts';

const capacity = 65_536;
/** PIPE_BUF: so many bytes go in as one, or not yet. */
const atomic = 4096;
/** FIONREAD */
const countReadable = 0x541b;

/** Bytes between those who write and those who read. */
export class Pipe {
  readonly bytes: ByteQueue = new ByteQueue();
  readonly changed: WaitQueue = new WaitQueue();
  readers = 0;
  writers = 0;

  get room(): number {
    return capacity - this.bytes.size;
  }
}

export function openPipe(
  pipe: Pipe,
  how: {
    readonly inode: Inode;
    readonly flags: number;
    readonly path: string;
  },
): OpenFile {
  const mode = how.flags & openFlags.accessMode;
  const reads = mode !== openFlags.writeOnly;
  const writes = mode !== 0;
  if (reads) pipe.readers++;
  if (writes) pipe.writers++;
  pipe.changed.wake();
  return {
    kind: 'pipe',
    inode: how.inode,
    flags: how.flags,
    path: how.path,
    changed: pipe.changed,
    references: 0,
    ...(reads && {
      read: (_: unknown, most: number) => {
        if (most === 0) return new Uint8Array(0);
        if (pipe.bytes.size === 0) {
          return pipe.writers === 0 ? new Uint8Array(0) : new Wait([pipe.changed]);
        }
        const bytes = pipe.bytes.take(most);
        pipe.changed.wake();
        return bytes;
      },
    }),
    ...(writes && {
      write: (task, bytes) => {
        if (pipe.readers === 0) {
          sendBrokenPipe(task);
          throw new LinuxError(errno.brokenPipe);
        }
        const { room } = pipe;
        if (bytes.length <= atomic ? room < bytes.length : room === 0) {
          return new Wait([pipe.changed]);
        }
        const taken = bytes.slice(0, room);
        pipe.bytes.push(taken);
        pipe.changed.wake();
        return taken.length;
      },
    }),
    poll: () =>
      (reads && pipe.bytes.size > 0 ? pollEvents.in : 0) |
      (reads && pipe.writers === 0 ? pollEvents.hangUp : 0) |
      (writes && pipe.room >= atomic ? pollEvents.out : 0) |
      (writes && pipe.readers === 0 ? pollEvents.error : 0),
    control: (task, request, argument) => {
      if (request !== countReadable) throw new LinuxError(errno.notTerminal);
      viewOf(guestRoom(task.memory, argument, 4)).setInt32(0, pipe.bytes.size, true);
      return 0;
    },
    close: () => {
      if (reads) pipe.readers--;
      if (writes) pipe.writers--;
      pipe.changed.wake();
    },
  };
}
