import type { Clock } from '@tapline/base';

/** Lets so many through a second, and a burst of them at once. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #clock: Clock;
  #tokens: number;
  #at: number;

  constructor(init: { readonly perSecond: number; readonly burst: number; readonly clock: Clock }) {
    this.#perSecond = init.perSecond;
    this.#burst = init.burst;
    this.#clock = init.clock;
    this.#tokens = init.burst;
    this.#at = init.clock.monotonic();
  }

  take(): boolean {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(
      this.#burst,
      this.#tokens + ((now - this.#at) * this.#perSecond) / 1000,
    );
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
