/** A sequence of numbers that grows, and is used again for the next one. */
export class CodeBuffer {
  #data = new Int32Array(1024);
  length = 0;

  push(value: number): void {
    if (this.length === this.#data.length) {
      const larger = new Int32Array(2 * this.#data.length);
      larger.set(this.#data);
      this.#data = larger;
    }
    this.#data[this.length] = value;
    this.length += 1;
  }

  get content(): Int32Array {
    return this.#data.subarray(0, this.length);
  }
}

/** Numbers that were written, and the one number that stands for them. */
export interface Sequence {
  readonly id: number;
  readonly data: Int32Array;
}

/** Gives equal sequences, and equal texts, the same number, and different ones different numbers. */
export class CodeTable {
  readonly #texts = new Map<string, number>();
  readonly #sequences = new Map<number, Sequence[]>();
  #last = 0;

  text(text: string): number {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const id = this.#texts.size;
    this.#texts.set(text, id);
    return id;
  }

  /** `likely` is compared before anything else. */
  sequence(buffer: CodeBuffer, likely?: Sequence): Sequence {
    const { content } = buffer;
    if (likely !== undefined && equal(likely.data, content)) return likely;
    const hash = hashOf(content);
    const known = this.#sequences.get(hash);
    // The hash only finds candidates: somebody on a node may choose what is hashed.
    const same = known?.find(({ data }) => equal(data, content));
    if (same !== undefined) return same;
    this.#last += 1;
    const entry = { data: content.slice(), id: this.#last };
    if (known === undefined) this.#sequences.set(hash, [entry]);
    else known.push(entry);
    return entry;
  }
}

/** FNV-1a, of numbers instead of bytes. */
function hashOf(data: Int32Array): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < data.length; at += 1) {
    hash = Math.imul(hash ^ (data[at] ?? 0), 0x01000193);
  }
  return hash;
}

function equal(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}
