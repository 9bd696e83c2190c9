/** A rate with a burst, by times that are given. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #refilledMs = 0;

  constructor(init: { readonly perSecond: number; readonly burst: number }) {
    this.#perMs = init.perSecond / 1000;
    this.#burst = init.burst;
    this.#tokens = init.burst;
  }

  /** Whether anything may go now. What goes may exceed what is there: the next one waits longer. */
  isOpen(nowMs: number): boolean {
    if (nowMs > this.#refilledMs) {
      this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#refilledMs) * this.#perMs);
      this.#refilledMs = nowMs;
    }
    return this.#tokens > 0;
  }

  spend(amount: number): void {
    this.#tokens -= amount;
  }
}
