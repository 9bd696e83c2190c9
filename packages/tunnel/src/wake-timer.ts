import type { Sleeper, Wakeups } from './wakeups.ts';

/** One timer: calls at the earliest of the times that it was armed with, and then has to be armed anew. */
export class WakeTimer implements Sleeper {
  readonly #wakeups: Wakeups;
  readonly #wake: () => void;
  atMs: number = Infinity;
  place = -1;

  constructor(wakeups: Wakeups, wake: () => void) {
    this.#wakeups = wakeups;
    this.#wake = wake;
  }

  arm(atMs: number): void {
    if (atMs >= this.atMs) return;
    this.#wakeups.remove(this);
    this.atMs = atMs;
    this.#wakeups.add(this);
  }

  cancel(): void {
    this.#wakeups.remove(this);
    this.atMs = Infinity;
  }

  wake(): void {
    this.atMs = Infinity;
    this.#wake();
  }
}
