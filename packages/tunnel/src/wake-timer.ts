import type { Clock } from '@tapline/base';

/** One timer: calls at the earliest of the times that it was armed with, and then has to be armed anew. */
export class WakeTimer {
  readonly #clock: Clock;
  readonly #wake: () => void;
  #atMs = Infinity;
  #sleeping: AbortController | undefined;

  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  arm(atMs: number): void {
    if (atMs >= this.#atMs) return;
    this.cancel();
    const sleeping = new AbortController();
    this.#sleeping = sleeping;
    this.#atMs = atMs;
    void this.#sleep(atMs, sleeping);
  }

  cancel(): void {
    this.#sleeping?.abort('rearmed');
    this.#sleeping = undefined;
    this.#atMs = Infinity;
  }

  async #sleep(atMs: number, sleeping: AbortController): Promise<void> {
    try {
      await this.#clock.sleep(atMs - this.#clock.monotonic(), { signal: sleeping.signal });
    } catch {
      // Cancelled: whoever did that knows.
      return;
    }
    if (this.#sleeping !== sleeping) return;
    this.#atMs = Infinity;
    this.#sleeping = undefined;
    this.#wake();
  }
}
