import type { KeyHash } from './key-hash.ts';

const ways = 4;

/**
 * Remembers which keys were evicted lately, by 32 bits each: S3-FIFO lets them in through the main
 * queue when they come again. A wrong answer only costs room.
 */
export class GhostQueue {
  readonly #fingerprints: Uint32Array;
  readonly #times: Uint32Array;
  readonly #buckets: number;
  readonly #span: number;
  #time = 1;

  /** `entries`: how many evictions back it remembers. */
  constructor({ entries }: { readonly entries: number }) {
    this.#buckets = 2 ** Math.ceil(Math.log2(Math.max(1, (entries * 1.5) / ways)));
    this.#span = entries;
    this.#fingerprints = new Uint32Array(this.#buckets * ways);
    this.#times = new Uint32Array(this.#buckets * ways);
  }

  get memoryBytes(): number {
    return this.#fingerprints.byteLength + this.#times.byteLength;
  }

  add({ high, low }: KeyHash): void {
    const from = (low & (this.#buckets - 1)) * ways;
    let oldest = from;
    for (let at = from; at < from + ways; at += 1) {
      if ((this.#times[at] ?? 0) < (this.#times[oldest] ?? 0)) oldest = at;
    }
    this.#fingerprints[oldest] = high;
    this.#times[oldest] = this.#time;
    this.#time += 1;
  }

  /** How many came after it, where it was evicted lately; it is forgotten then. */
  take({ high, low }: KeyHash): number | undefined {
    const from = (low & (this.#buckets - 1)) * ways;
    for (let at = from; at < from + ways; at += 1) {
      const time = this.#times[at] ?? 0;
      if (time === 0 || this.#fingerprints[at] !== high) continue;
      this.#times[at] = 0;
      const age = this.#time - time;
      return age <= this.#span ? age : undefined;
    }
    return undefined;
  }
}
