/* oxlint-disable typescript/no-non-null-assertion -- indexes are in range, and codes are made for every block */
import type { BitReader } from './bit-reader.ts';
import { codeLengthOrder } from './deflate-symbols.ts';
import { InflateTable } from './inflate-table.ts';

export const literalBits = 11;
export const distanceBits = 9;

/** The codes of one compressed block after the other, in memory that stays. */
export class BlockCodes {
  readonly literals: InflateTable = new InflateTable('literals', literalBits);
  readonly distances: InflateTable = new InflateTable('distances', distanceBits);
  readonly #codeLengths = new InflateTable('code-lengths', 7);
  readonly #lengths = new Uint8Array(320);

  /** Of the code that ends the block. */
  get endBits(): number {
    return this.#lengths[256]!;
  }

  /**
   * RFC 1951 §3.2.3: what comes behind a block's `type`, which is not that of a stored one. Throws
   * `deflate_corrupt`.
   */
  read(input: BitReader, type: number): void {
    if (type === 3) throw input.corrupt('a block of no known type');
    if (type === 1) this.#setFixed();
    else this.#readDynamic(input);
  }

  #setFixed(): void {
    const lengths = this.#lengths;
    lengths.fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280, 288).fill(5, 288, 320);
    this.literals.build(lengths.subarray(0, 288));
    this.distances.build(lengths.subarray(288, 320));
  }

  #readDynamic(input: BitReader): void {
    const literals = input.bits(5) + 257;
    const distances = input.bits(5) + 1;
    const count = input.bits(4) + 4;
    if (literals > 286 || distances > 30) throw input.corrupt('more codes than there are symbols');
    const lengths = this.#lengths.fill(0);
    for (const symbol of codeLengthOrder.slice(0, count)) lengths[symbol] = input.bits(3);
    if (!this.#codeLengths.build(lengths.subarray(0, 19))) {
      throw input.corrupt('lengths that are no code');
    }
    lengths.fill(0);
    const { entries } = this.#codeLengths;
    for (let at = 0; at < literals + distances;) {
      const entry = entries[input.peek() & 127]!;
      input.bits(entry & 15);
      const symbol = entry >>> 16;
      if (symbol < 16) {
        lengths[at++] = symbol;
        continue;
      }
      if (symbol === 16 && at === 0) throw input.corrupt('a length repeated before the first');
      const value = symbol === 16 ? lengths[at - 1]! : 0;
      const run =
        symbol === 16 ? 3 + input.bits(2) : symbol === 17 ? 3 + input.bits(3) : 11 + input.bits(7);
      if (at + run > literals + distances) throw input.corrupt('more lengths than codes');
      lengths.fill(value, at, at + run);
      at += run;
    }
    if (lengths[256] === 0) throw input.corrupt('a block without an end');
    if (
      !this.literals.build(lengths.subarray(0, literals)) ||
      !this.distances.build(lengths.subarray(literals, literals + distances))
    ) {
      throw input.corrupt('lengths that are no code');
    }
  }
}
