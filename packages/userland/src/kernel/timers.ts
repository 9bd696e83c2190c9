/** What is to be done at a time of the monotonic clock. */
export interface KernelTimer {
  dueMs: number;
  /** 0 for once. */
  intervalMs: number;
  readonly fire: (times: number) => void;
}

/** All timers of a kernel; there are few at a time. */
export class Timers {
  readonly #timers: Set<KernelTimer> = new Set();

  add(timer: KernelTimer): void {
    this.#timers.add(timer);
  }

  remove(timer: KernelTimer | undefined): void {
    if (timer !== undefined) this.#timers.delete(timer);
  }

  nextMs(): number | undefined {
    let next: number | undefined;
    for (const { dueMs } of this.#timers) next = Math.min(next ?? dueMs, dueMs);
    return next;
  }

  fireDue(nowMs: number): void {
    for (const timer of this.#timers) {
      if (timer.dueMs > nowMs) continue;
      if (timer.intervalMs <= 0) {
        this.#timers.delete(timer);
        timer.fire(1);
        continue;
      }
      const times = Math.floor((nowMs - timer.dueMs) / timer.intervalMs) + 1;
      timer.dueMs += times * timer.intervalMs;
      timer.fire(times);
    }
  }
}
