const leastBlockMs = 100;
const blocks = 32;

/**
 * How fast bytes arrive, over blocks of at least two round trips: in shorter ones a stall and what
 * comes at once after it look like a fast path.
 */
export class DeliveryRate {
  /** Not before the first block: an idle tunnel has none. */
  #ring: Float64Array | undefined;
  #at = 0;
  #bytes = 0;
  #fromMs = -Infinity;

  /** Bytes a millisecond in the best of the last blocks; 0 before the first one. */
  get best(): number {
    let best = 0;
    for (const rate of this.#ring ?? []) best = Math.max(best, rate);
    return best;
  }

  acknowledged(bytes: number, rttMs: number, nowMs: number): void {
    if (this.#fromMs === -Infinity) this.#fromMs = nowMs;
    else this.#bytes += bytes;
    const spanMs = nowMs - this.#fromMs;
    if (spanMs < Math.max(leastBlockMs, 2 * rttMs)) return;
    this.#ring ??= new Float64Array(blocks);
    this.#ring[this.#at] = this.#bytes / spanMs;
    this.#at = (this.#at + 1) % blocks;
    this.#bytes = 0;
    this.#fromMs = nowMs;
  }

  /** Begins anew with what is known from elsewhere. */
  restart(bytesPerMs: number): void {
    this.#ring?.fill(0);
    if (bytesPerMs > 0) {
      this.#ring ??= new Float64Array(blocks);
      this.#ring[blocks - 1] = bytesPerMs;
    }
    this.#at = 0;
    this.#bytes = 0;
    this.#fromMs = -Infinity;
  }
}
