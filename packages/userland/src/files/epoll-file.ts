import { errno, LinuxError } from '../errno.ts';
import { WaitQueue } from '../kernel/wait-queue.ts';
import { anonymousInode } from './anonymous-inode.ts';
import type { FileSystem } from './inode.ts';
import { type OpenFile, openFlags, pollEvents } from './open-file.ts';

// include/uapi/linux/eventpoll.h
const epollFlags = { edge: 0x80000000, once: 0x40000000 } as const;
const always = pollEvents.error | pollEvents.hangUp;

interface Watch {
  readonly file: OpenFile;
  readonly number: number;
  events: number;
  data: bigint;
  /** With edges: something has changed since it was told. */
  armed: boolean;
  readonly wake: () => void;
}

export interface ReadyEvent {
  readonly events: number;
  readonly data: bigint;
}

/** epoll: files that are watched, and which of them are ready. */
export interface EpollFile extends OpenFile {
  readonly kind: 'epoll';
  change(
    operation: 'add' | 'modify' | 'delete',
    what: {
      readonly number: number;
      readonly file: OpenFile;
      readonly events: number;
      readonly data: bigint;
    },
  ): void;
  ready(most: number): readonly ReadyEvent[];
}

export function openEpoll(system: FileSystem): EpollFile {
  const changed = new WaitQueue();
  const watches = new Map<string, Watch>();
  const identities = new Map<OpenFile, number>();
  const keyOf = (file: OpenFile, number: number): string => {
    const identity = identities.get(file) ?? identities.size;
    identities.set(file, identity);
    return `${number}:${identity}`;
  };
  const drop = (key: string, watch: Watch): void => {
    watch.file.changed.remove(watch.wake);
    watches.delete(key);
  };
  /** Files that all have closed are not watched any more. */
  const live = function* (): Generator<readonly [string, Watch, number]> {
    for (const [key, watch] of watches) {
      if (watch.file.references === 0) {
        drop(key, watch);
        identities.delete(watch.file);
        continue;
      }
      const events = watch.file.poll() & (watch.events | always);
      if (events !== 0 && watch.armed) yield [key, watch, events];
    }
  };
  return {
    kind: 'epoll',
    inode: anonymousInode(system, 'character'),
    flags: openFlags.readWrite,
    path: 'anon_inode:[eventpoll]',
    changed,
    references: 0,
    poll: () => (live().next().done === true ? 0 : pollEvents.in),
    change(operation, { number, file, events, data }) {
      const key = keyOf(file, number);
      const known = watches.get(key);
      if (operation === 'add') {
        if (known !== undefined) throw new LinuxError(errno.exists);
        const watch: Watch = {
          file,
          number,
          events,
          data,
          armed: true,
          wake: () => {
            if ((watch.events & epollFlags.edge) !== 0) watch.armed = true;
            changed.wake();
          },
        };
        watches.set(key, watch);
        file.changed.add(watch.wake);
        changed.wake();
        return;
      }
      if (known === undefined) throw new LinuxError(errno.noEntry);
      if (operation === 'delete') {
        drop(key, known);
        return;
      }
      known.events = events;
      known.data = data;
      known.armed = true;
      changed.wake();
    },
    ready(most) {
      const found: ReadyEvent[] = [];
      // They are put at the end, so that the others have their turn first the next time.
      const ready = [...live()].slice(0, most);
      for (const [key, watch, events] of ready) {
        found.push({ events, data: watch.data });
        if ((watch.events & epollFlags.edge) !== 0) watch.armed = false;
        if ((watch.events & epollFlags.once) !== 0) {
          watch.armed = false;
          watch.events = epollFlags.once;
        }
        watches.delete(key);
        watches.set(key, watch);
      }
      return found;
    },
    close() {
      for (const [key, watch] of watches) drop(key, watch);
    },
  };
}

export function isEpollFile(file: OpenFile): file is EpollFile {
  return file.kind === 'epoll';
}
