import { errno, LinuxError } from '../errno.ts';
import { ByteQueue } from '../files/byte-queue.ts';
import type { OpenFile } from '../files/open-file.ts';
import { WaitQueue } from '../kernel/wait-queue.ts';

/** One end of a connection that carries bytes both ways. */
export interface Channel {
  readonly changed: WaitQueue;
  /** Bytes, none at the end, undefined where there is nothing yet. */
  read(most: number, how: { readonly peek: boolean }): Uint8Array | undefined;
  /** How many were taken: 0 where there is no room. Throws EPIPE where nobody reads. */
  write(bytes: Uint8Array): number;
  /** Bytes that can be read. */
  readonly available: number;
  /** Nothing more comes. */
  readonly ended: boolean;
  readonly room: number;
  /** Nobody reads what is written. */
  readonly broken: boolean;
  shutdown(which: { readonly read: boolean; readonly write: boolean }): void;
  /** Open files go along with bytes between guests, but not to the outside. */
  readonly files: FilePassing | undefined;
}

export interface FilePassing {
  /** Goes with the next byte that is written. */
  send(files: readonly OpenFile[]): void;
  /** What came with the next byte to be read. */
  take(): readonly OpenFile[];
}

/** As Linux has it for Unix sockets (wmem_default). */
const capacity = 212_992;

class Direction {
  readonly bytes: ByteQueue = new ByteQueue();
  /** Positions in the stream, and what goes with the byte there. */
  files: { readonly at: number; readonly files: readonly OpenFile[] }[] = [];
  written = 0;
  taken = 0;
  ended = false;
  /** The reader has gone. */
  broken = false;
}

/** Two ends that are connected. */
export function createChannelPair(): readonly [Channel, Channel] {
  const forth = new Direction();
  const back = new Direction();
  const queues = [new WaitQueue(), new WaitQueue()] as const;
  const wake = (): void => {
    for (const queue of queues) queue.wake();
  };
  return [
    end(back, forth, { changed: queues[0], wake }),
    end(forth, back, { changed: queues[1], wake }),
  ];
}

function end(
  incoming: Direction,
  outgoing: Direction,
  how: { readonly changed: WaitQueue; readonly wake: () => void },
): Channel {
  const { changed, wake } = how;
  return {
    changed,
    get available() {
      return incoming.bytes.size;
    },
    get ended() {
      return incoming.ended;
    },
    get room() {
      return outgoing.ended || outgoing.broken ? 0 : capacity - outgoing.bytes.size;
    },
    get broken() {
      return outgoing.ended || outgoing.broken;
    },
    read(most, { peek }) {
      if (incoming.bytes.size === 0) return incoming.ended ? new Uint8Array(0) : undefined;
      // What came with files is not read together with what came before.
      const next = incoming.files.find(({ at }) => at > incoming.taken);
      const limit = next === undefined ? most : Math.min(most, next.at - incoming.taken);
      if (peek) return incoming.bytes.peek(limit);
      const bytes = incoming.bytes.take(limit);
      incoming.taken += bytes.length;
      wake();
      return bytes;
    },
    write(bytes) {
      if (outgoing.ended || outgoing.broken) throw new LinuxError(errno.brokenPipe);
      const taken = bytes.slice(0, Math.max(capacity - outgoing.bytes.size, 0));
      outgoing.bytes.push(taken);
      outgoing.written += taken.length;
      if (taken.length > 0) wake();
      return taken.length;
    },
    shutdown({ read, write }) {
      if (read) {
        incoming.ended = true;
        incoming.broken = true;
        for (const { files } of incoming.files) files.forEach(release);
        incoming.files = [];
      }
      if (write) outgoing.ended = true;
      wake();
    },
    files: {
      send(files) {
        for (const file of files) file.references++;
        outgoing.files.push({ at: outgoing.written, files });
      },
      take() {
        const [first] = incoming.files;
        if (first === undefined || first.at > incoming.taken) return [];
        incoming.files.shift();
        // The caller's descriptors count them from now on.
        for (const file of first.files) file.references--;
        return first.files;
      },
    },
  };
}

function release(file: OpenFile): void {
  file.references--;
  if (file.references === 0) file.close?.();
}
