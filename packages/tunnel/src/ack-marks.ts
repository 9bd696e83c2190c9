const firstCapacity = 16;
const fields = 2;
/** Of those that have never asked, as idle tunnels: not an array each. */
const noMarks = new Float64Array(0);

/** Where acknowledgements were asked for, and when: a ring of positions, without objects. */
export class AckMarks {
  #ring = noMarks;
  #capacity = 0;
  #head = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(position: number, timeMs: number): void {
    if (this.#count === this.#capacity) this.#grow();
    const at = ((this.#head + this.#count) % this.#capacity) * fields;
    this.#ring[at] = position;
    this.#ring[at + 1] = timeMs;
    this.#count += 1;
  }

  /** When the newest mark at or before `position` was sent; it and older ones are dropped. */
  take(position: number): number | undefined {
    let sentMs: number | undefined;
    while (this.#count > 0) {
      const at = this.#head * fields;
      if ((this.#ring[at] ?? 0) > position) break;
      sentMs = this.#ring[at + 1];
      this.#head = (this.#head + 1) % this.#capacity;
      this.#count -= 1;
    }
    return sentMs;
  }

  clear(): void {
    this.#count = 0;
  }

  #grow(): void {
    const capacity = Math.max(firstCapacity, this.#capacity * 2);
    const ring = new Float64Array(capacity * fields);
    for (let index = 0; index < this.#count; index += 1) {
      const from = ((this.#head + index) % this.#capacity) * fields;
      ring.set(this.#ring.subarray(from, from + fields), index * fields);
    }
    this.#ring = ring;
    this.#capacity = capacity;
    this.#head = 0;
  }
}
