import { errno, LinuxError } from '../errno.ts';
import { Wait, WaitQueue } from '../kernel/wait-queue.ts';

export interface LockRange {
  readonly start: number;
  /** Not included; Infinity for all that comes. */
  readonly end: number;
}

export interface HeldLock extends LockRange {
  readonly owner: object;
  readonly exclusive: boolean;
  /** For F_GETLK. */
  readonly pid: number;
}

/** The locks on one file. Owners are processes (fcntl) or open files (flock): the two do not meet. */
export class FileLocks {
  readonly changed: WaitQueue = new WaitQueue();
  readonly #held: Record<'range' | 'whole', readonly HeldLock[]> = { range: [], whole: [] };

  /** Who is in the way of this lock. */
  conflict(kind: 'range' | 'whole', lock: HeldLock): HeldLock | undefined {
    return this.#held[kind].find(
      (held) =>
        held.owner !== lock.owner &&
        (held.exclusive || lock.exclusive) &&
        held.start < lock.end &&
        lock.start < held.end,
    );
  }

  take(kind: 'range' | 'whole', lock: HeldLock, how: { readonly wait: boolean }): 0 | Wait {
    if (this.conflict(kind, lock) !== undefined) {
      if (!how.wait) throw new LinuxError(errno.again);
      return new Wait([this.changed]);
    }
    this.release(kind, lock.owner, lock);
    this.#held[kind] = [...this.#held[kind], lock];
    return 0;
  }

  /** Gives up what the owner has of this range, which may cut a lock in two. */
  release(
    kind: 'range' | 'whole',
    owner: object,
    range: LockRange = { start: 0, end: Infinity },
  ): void {
    this.#held[kind] = this.#held[kind].flatMap((held) => {
      if (held.owner !== owner || held.end <= range.start || held.start >= range.end) return [held];
      return [
        { ...held, end: range.start },
        { ...held, start: range.end },
      ].filter(({ start, end }) => start < end);
    });
    this.changed.wake();
  }
}
