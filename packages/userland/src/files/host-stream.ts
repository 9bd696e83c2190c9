import { errno, LinuxError } from '../errno.ts';
import { Wait, WaitQueue } from '../kernel/wait-queue.ts';
import { ByteQueue } from './byte-queue.ts';
import type { SpecialInode } from './inode.ts';
import { type OpenFile, openFlags, pollEvents } from './open-file.ts';

/** Bytes from outside, as they are asked for. */
export type HostInput = AsyncIterable<Uint8Array>;
/** Bytes to the outside; who answers with a promise is not given more before it is kept. */
export type HostOutput = (bytes: Uint8Array) => void | Promise<void>;

/** Makes the inode of a stream; `open` is for who opens it once more, as `/dev/stdin`. */
export type CreateStreamInode = (open: NonNullable<SpecialInode['open']>) => SpecialInode;

/** Standard input from outside the guests: a chunk is fetched when somebody waits for it. */
export function openHostInput(input: HostInput, createInode: CreateStreamInode): OpenFile {
  const changed = new WaitQueue();
  const bytes = new ByteQueue();
  const chunks = input[Symbol.asyncIterator]();
  let state: 'idle' | 'fetching' | 'ended' = 'idle';
  const fetch = async (): Promise<void> => {
    if (state !== 'idle') return;
    state = 'fetching';
    try {
      const { done, value } = await chunks.next();
      state = done === true ? 'ended' : 'idle';
      if (done !== true) bytes.push(value);
    } catch {
      // A stream that breaks has nothing more to say.
      state = 'ended';
    }
    changed.wake();
  };
  return openStream(createInode, {
    flags: 0,
    changed,
    read: (_, most) => {
      if (bytes.size > 0) return bytes.take(most);
      if (state === 'ended') return new Uint8Array(0);
      void fetch();
      return new Wait([changed]);
    },
    poll: () => {
      if (bytes.size === 0) void fetch();
      const ended = state === 'ended' ? pollEvents.hangUp : 0;
      return bytes.size > 0 ? pollEvents.in : ended;
    },
  });
}

export function openHostOutput(output: HostOutput, createInode: CreateStreamInode): OpenFile {
  const changed = new WaitQueue();
  let busy = false;
  let broken = false;
  const waitFor = async (taken: Promise<void>): Promise<void> => {
    busy = true;
    try {
      await taken;
    } catch {
      broken = true;
    }
    busy = false;
    changed.wake();
  };
  return openStream(createInode, {
    flags: openFlags.writeOnly,
    changed,
    write: (_, bytes) => {
      if (broken) throw new LinuxError(errno.brokenPipe);
      if (busy) return new Wait([changed]);
      const taken = output(bytes.slice());
      if (taken !== undefined) void waitFor(taken);
      return bytes.length;
    },
    poll: () => (busy ? 0 : pollEvents.out),
  });
}

function openStream(
  createInode: CreateStreamInode,
  stream: Omit<OpenFile, 'kind' | 'inode' | 'path' | 'references'>,
): OpenFile {
  const inode = createInode(({ flags }) => opened(flags));
  const opened = (flags: number): OpenFile => ({
    kind: 'pipe',
    inode,
    path: `pipe:[${inode.number}]`,
    references: 0,
    ...stream,
    flags,
  });
  return opened(stream.flags);
}
