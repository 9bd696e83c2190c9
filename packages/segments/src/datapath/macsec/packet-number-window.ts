/**
 * Which packet numbers of a secure association may still come. Stricter than IEEE Std 802.1AE-2018
 * §10.6.5, which takes any number inside the window again and again: here each comes once.
 *
 * A number is two halves of 32 bits, so that 64-bit ones need no BigInt on the way of every frame.
 */
export class PacketNumberWindow {
  readonly #window: number;
  readonly #seen: Uint8Array;
  /** The highest number that came, plus one. */
  #nextHigh: number;
  #nextLow: number;

  /** `window` is how far behind the newest a frame may be, 0 to 65,535. */
  constructor(window: number, lowest: { readonly high: number; readonly low: number }) {
    this.#window = window;
    // A power of two, so that places go on where the lower half wraps.
    let places = 8;
    while (places <= window + 1) places *= 2;
    this.#seen = new Uint8Array(places);
    this.#nextHigh = lowest.high;
    this.#nextLow = lowest.low;
  }

  /**
   * The upper half that belongs to a lower one: the number that is nearest to the next expected
   * (§10.6.2, also for frames that come late across a wrap).
   */
  recoverHigh(low: number): number {
    const ahead = low - this.#nextLow;
    if (ahead < -0x80000000) return (this.#nextHigh + 1) >>> 0;
    if (ahead > 0x80000000 && this.#nextHigh > 0) return this.#nextHigh - 1;
    return this.#nextHigh;
  }

  /** Whether a frame of that number may be looked at: neither too late nor there already. */
  accepts(high: number, low: number): boolean {
    const behind = this.#behind(high, low);
    if (behind <= 0) return true;
    return behind <= this.#window + 1 && this.#seen[low & (this.#seen.length - 1)] === 0;
  }

  /** Notes a number whose frame was authentic; only then may the window move. */
  note(high: number, low: number): void {
    const seen = this.#seen;
    const behind = this.#behind(high, low);
    if (behind <= 0) {
      const skipped = Math.min(1 - behind, seen.length);
      for (let step = 0; step < skipped; step += 1) seen[(low - step) & (seen.length - 1)] = 0;
      this.#nextLow = (low + 1) >>> 0;
      this.#nextHigh = this.#nextLow === 0 ? (high + 1) >>> 0 : high;
    }
    seen[low & (seen.length - 1)] = 1;
  }

  /** How far before the next expected number; 1 is the newest that came, 0 and below are new. */
  #behind(high: number, low: number): number {
    // Exact wherever it matters: differences beyond 2⁵³ are far outside of every window.
    return (this.#nextHigh - high) * 0x1_0000_0000 + (this.#nextLow - low);
  }
}
