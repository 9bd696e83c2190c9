import type { Clock } from '@tapline/base';
import type { Digest } from '@tapline/oci';

/** Notes older than this say nothing to anyone; looked through when there are many. */
const forgetAfterMs = 24 * 60 * 60 * 1000;
const manyNotes = 10_000;

/**
 * Who counts on which content right now. Content that is held is not deleted, and whoever wants to
 * hold what is being deleted waits, and then finds it gone. Kept in memory: nobody who counted on
 * something outlives the process.
 */
export class BlobLeases {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #held = new Map<Digest, number>();
  readonly #removals = new Map<Digest, Promise<unknown>>();
  readonly #touched = new Map<Digest, number>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Keeps the content, there or on its way, until the lease is disposed. */
  async hold(digest: Digest): Promise<Disposable> {
    for (;;) {
      const removal = this.#removals.get(digest);
      if (removal === undefined) break;
      await removal;
    }
    this.#held.set(digest, (this.#held.get(digest) ?? 0) + 1);
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        const others = (this.#held.get(digest) ?? 1) - 1;
        if (others > 0) this.#held.set(digest, others);
        else this.#held.delete(digest);
      },
    };
  }

  /** Keeps the content while `work` runs. */
  async holding<T>(digest: Digest, work: () => Promise<T>): Promise<T> {
    const lease = await this.hold(digest);
    try {
      return await work();
    } finally {
      lease[Symbol.dispose]();
    }
  }

  /** Notes that somebody was told the content is here, and may refer to it soon. */
  touch(digest: Digest): void {
    if (this.#touched.size >= manyNotes && !this.#touched.has(digest)) this.#forgetOld();
    this.#touched.set(digest, this.#clock.monotonic());
  }

  wasTouchedWithin(digest: Digest, ms: number): boolean {
    const at = this.#touched.get(digest);
    return at !== undefined && this.#clock.monotonic() - at < ms;
  }

  isHeld(digest: Digest): boolean {
    return this.#held.has(digest);
  }

  /** Runs `remove`, during which nobody gets a lease; false, without running it, while one is held. */
  async remove(digest: Digest, remove: () => Promise<boolean>): Promise<boolean> {
    if (this.#held.has(digest) || this.#removals.has(digest)) return false;
    const removal = remove();
    this.#removals.set(
      digest,
      removal.catch(() => false),
    );
    try {
      return await removal;
    } finally {
      this.#removals.delete(digest);
    }
  }

  #forgetOld(): void {
    const before = this.#clock.monotonic() - forgetAfterMs;
    for (const [digest, at] of this.#touched) if (at < before) this.#touched.delete(digest);
  }
}
