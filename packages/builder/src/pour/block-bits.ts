import type { InflatedBlock } from '@tapline/oci';

/** What looks at bits may look at eight bytes behind them. */
const slack = 8;

/** The compressed bytes of blocks, in memory that is used again for each piece of a layer. */
export class BlockBits {
  readonly #read: (into: Uint8Array, at: number) => number;
  #memory = Buffer.alloc(0);
  #filled = 0;

  /** `read` puts bytes of the bottle from `at` on into `into`. */
  constructor(read: (into: Uint8Array, at: number) => number) {
    this.#read = read;
  }

  /** Bytes that have the bits of a block, and eight bytes more, until they are forgotten. */
  of({ bitStart, bitEnd }: InflatedBlock): Uint8Array {
    const from = Math.floor(bitStart / 8);
    const size = Math.ceil(bitEnd / 8) - from + slack;
    // What was given out stays where it is.
    if (this.#filled + size > this.#memory.length) {
      this.#memory = Buffer.alloc(Math.max(size, 2 * this.#memory.length));
      this.#filled = 0;
    }
    const bytes = this.#memory.subarray(this.#filled, this.#filled + size);
    this.#filled += size;
    // Behind the end of the file is whatever was there before.
    this.#read(bytes, from);
    return bytes;
  }

  forget(): void {
    this.#filled = 0;
  }
}
