/** Those that wait for something to change. */
export class WaitQueue {
  readonly #waiting: Set<() => void> = new Set();

  add(wake: () => void): void {
    this.#waiting.add(wake);
  }

  remove(wake: () => void): void {
    this.#waiting.delete(wake);
  }

  /** Each looks again whether it can go on. */
  wake(): void {
    for (const wake of this.#waiting) wake();
  }

  get size(): number {
    return this.#waiting.size;
  }
}

/**
 * What a system call answers that cannot be done yet: it is made again when one of the queues is
 * woken, and when the deadline (of the monotonic clock) is over.
 */
export class Wait {
  readonly queues: readonly WaitQueue[];
  readonly deadlineMs: number | undefined;

  constructor(queues: readonly WaitQueue[], deadlineMs?: number) {
    this.queues = queues;
    this.deadlineMs = deadlineMs;
  }
}
