/** How long a series counts after it was there last: between this and twice this. */
const generationMs = 3_600_000;

/**
 * Which series each device has sent lately. A label whose values change all the time would stay below
 * every limit of one request, and fill a Prometheus all the same.
 */
export class SeriesBook {
  readonly #limit: number;
  #young = new Map<string, Set<number>>();
  #old = new Map<string, Set<number>>();
  #turnedMs: number | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Notes the series of a request, by their hashes; false where the device has too many. */
  note(device: string, hashes: readonly number[], nowMs: number): boolean {
    this.#turn(nowMs);
    const young = this.#young.get(device) ?? new Set();
    const old = this.#old.get(device);
    const fresh = new Set(hashes.filter((hash) => !young.has(hash)));
    const kept = old === undefined ? 0 : [...old].filter((hash) => !young.has(hash)).length;
    const added = [...fresh].filter((hash) => old?.has(hash) !== true).length;
    if (young.size + kept + added > this.#limit) return false;
    for (const hash of fresh) young.add(hash);
    this.#young.set(device, young);
    return true;
  }

  /** Of all devices together. */
  get size(): number {
    let size = 0;
    for (const device of new Set([...this.#young.keys(), ...this.#old.keys()])) {
      const young = this.#young.get(device) ?? new Set();
      size += young.size;
      for (const hash of this.#old.get(device) ?? []) if (!young.has(hash)) size += 1;
    }
    return size;
  }

  #turn(nowMs: number): void {
    this.#turnedMs ??= nowMs;
    if (nowMs - this.#turnedMs < generationMs) return;
    this.#old = nowMs - this.#turnedMs < 2 * generationMs ? this.#young : new Map();
    this.#young = new Map();
    this.#turnedMs = nowMs;
  }
}
