import { BitReader } from './bit-reader.ts';

/** Puts the next bytes at the start of `into` and says how many; 0 where there are no more. */
export type ReadBytes = (into: Uint8Array) => number;

/** Room behind what was read, for looks beyond it: the longest description of codes is shorter. */
const slack = 1024;

/** Compressed bytes that come as they are read. */
export class CompressedInput extends BitReader {
  readonly #bytes: Uint8Array;
  readonly #read: ReadBytes;
  /** Whether nothing comes behind {@link bitEnd}. */
  ended = false;
  /** Bytes that were before those in `view`. */
  #before = 0;

  constructor(read: ReadBytes, bufferBytes: number = 256 * 1024) {
    const bytes = new Uint8Array(bufferBytes + 2 * slack);
    super(new DataView(bytes.buffer));
    this.#read = read;
    this.#bytes = bytes;
  }

  /** Of the next bit in all that was ever read. */
  override get position(): number {
    return this.#before * 8 + this.bit;
  }

  /** Makes the next {@link slack} bytes available, or all that there are; zeros are behind those. */
  fill(): void {
    if (this.ended || this.bitEnd - this.bit >= slack * 8) return;
    const from = this.bit >>> 3;
    this.#bytes.copyWithin(0, from, this.bitEnd >>> 3);
    this.#before += from;
    this.bit -= from * 8;
    let filled = (this.bitEnd >>> 3) - from;
    while (filled < this.#bytes.length - slack) {
      const count = this.#read(this.#bytes.subarray(filled, this.#bytes.length - slack));
      if (count === 0) {
        this.ended = true;
        break;
      }
      filled += count;
    }
    this.#bytes.fill(0, filled);
    this.bitEnd = filled * 8;
  }

  /** Leaves the rest of a byte that was begun. */
  align(): void {
    this.bit = (this.bit + 7) & ~7;
  }

  /** The next whole byte, or -1 behind the last. */
  byte(): number {
    this.fill();
    if (this.bit + 8 > this.bitEnd) return -1;
    const byte = this.view.getUint8(this.bit >>> 3);
    this.bit += 8;
    return byte;
  }

  /** Up to `count` whole bytes that are there, valid until the next call. */
  take(count: number): Uint8Array {
    this.fill();
    const at = this.bit >>> 3;
    const bytes = this.#bytes.subarray(at, Math.min(at + count, this.bitEnd >>> 3));
    this.bit += bytes.length * 8;
    return bytes;
  }
}
