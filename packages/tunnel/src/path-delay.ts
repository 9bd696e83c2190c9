/** Round trips of a path: the least one, and one that is smoothed. Both ways of bounding bulk share it. */
export class PathDelay {
  #minRttMs = Infinity;
  #rttMs = 0;
  /** Of all times, on this path. */
  #leastMs = Infinity;

  /** 0 before the first round trip. */
  get minRttMs(): number {
    return this.#minRttMs === Infinity ? 0 : this.#minRttMs;
  }

  get rttMs(): number {
    return this.#rttMs;
  }

  /** Delay of ours to allow: a share of the path's, so that jitter does not cost throughput. */
  get ownMs(): number {
    return Math.min(5, Math.max(1, this.minRttMs / 5));
  }

  /** More than this on average is not from a queue that is kept at `ownMs`, nor from a busy machine's stalls. */
  get foreignMs(): number {
    return Math.max(1.5 * this.ownMs + 1, this.minRttMs / 5);
  }

  took(rttMs: number): void {
    this.#rttMs = this.#rttMs === 0 ? rttMs : this.#rttMs + (rttMs - this.#rttMs) / 8;
    this.#minRttMs = Math.min(this.#minRttMs, rttMs);
    this.#leastMs = Math.min(this.#leastMs, rttMs);
  }

  /** What a round trip took while ours was little: routes become longer. */
  found(minRttMs: number): void {
    this.#minRttMs = minRttMs;
  }

  /** It has been shorter before: the difference may be a queue that we share, or fill ourselves. */
  get isDoubtful(): boolean {
    return this.minRttMs - this.#leastMs > 2 * this.ownMs;
  }

  restart(): void {
    this.#minRttMs = Infinity;
    this.#leastMs = Infinity;
  }
}
