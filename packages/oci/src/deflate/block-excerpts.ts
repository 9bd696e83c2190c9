/* oxlint-disable typescript/no-non-null-assertion -- indexes are in range, and this is a hot loop of a build */
import { BitReader } from './bit-reader.ts';
import { BlockCodes, distanceBits, literalBits } from './block-codes.ts';
import type { KeptBits } from './deflate-encoder.ts';
import { entryKind } from './inflate-table.ts';

/** Bytes of a piece that a deflate stream stands for, too. */
export interface CommonBytes {
  /** In the piece. */
  readonly at: number;
  readonly length: number;
  /** In the unpacked bytes of the stream. */
  readonly source: number;
}

/** A compressed block that only some bytes of a piece come from. */
export interface ExcerptedBlock {
  /** Has the bits of the block, and eight bytes more. */
  readonly bytes: Uint8Array;
  readonly bitStart: number;
  readonly bitEnd: number;
  /** The first byte that it stands for, in the unpacked bytes of the stream. */
  readonly start: number;
}

/** An excerpt repeats the codes of its block, and there is a block of the encoder's behind it. */
const leastBytes = 1024;

/**
 * Cuts from a block the symbols that stand for bytes of a piece, so that they need not be compressed
 * again. A match is taken where the piece has the same bytes at its distance, whatever was there before.
 */
export class BlockExcerpts {
  readonly #codes = new BlockCodes();
  /** Where the next symbol lies, and the first byte that it stands for. */
  #bit = 0;
  #at = 0;

  /** In the order of `common`, which is that of the stream. Throws `deflate_corrupt`. */
  of(
    block: ExcerptedBlock,
    piece: Uint8Array,
    common: readonly CommonBytes[],
  ): readonly KeptBits[] {
    const { bytes, bitStart, bitEnd } = block;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const reader = new BitReader(view, { from: bitStart, to: bitEnd });
    // Whether it is the last.
    reader.bits(1);
    this.#codes.read(reader, reader.bits(2));
    const header = { from: bitStart, to: reader.bit };
    const end = { from: bitEnd - this.#codes.endBits, to: bitEnd };
    this.#bit = reader.bit;
    this.#at = block.start;
    const kept: KeptBits[] = [];
    const fixedBits = header.to - header.from + end.to - end.from;
    for (const { at, length, source } of common) {
      const shift = at - source;
      const stop = { at: source + length, bit: end.from };
      while (this.#at < stop.at && this.#bit < stop.bit) {
        const run = this.#nextRun(view, piece, { from: source, shift, stop });
        const symbols = { from: run.bit, to: run.bitEnd };
        const isWorthIt =
          run.length >= leastBytes && fixedBits + symbols.to - symbols.from < run.length * 8;
        if (!isWorthIt) continue;
        const ranges = [header, symbols, end];
        kept.push({ at: run.at + shift, length: run.length, bytes, ranges });
      }
    }
    return kept;
  }

  /** Passes what cannot be taken, then what can. */
  #nextRun(
    view: DataView,
    piece: Uint8Array,
    span: {
      readonly from: number;
      readonly shift: number;
      readonly stop: { readonly at: number; readonly bit: number };
    },
  ): {
    readonly at: number;
    readonly length: number;
    readonly bit: number;
    readonly bitEnd: number;
  } {
    const { from, shift } = span;
    const { at: high, bit: lastBit } = span.stop;
    const literals = this.#codes.literals.entries;
    const distances = this.#codes.distances.entries;
    let at = this.#at;
    let bit = this.#bit;
    let runAt = at;
    let runBit = bit;
    let isInRun = false;
    let symbolAt = at;
    let symbolBit = bit;
    while (at < high && bit < lastBit) {
      symbolAt = at;
      symbolBit = bit;
      // Words are taken as the decoder takes them.
      let word = view.getInt32(bit >>> 3, true) >> (bit & 7);
      let entry = literals[word & ((1 << literalBits) - 1)]!;
      if ((entry & entryKind.further) !== 0) {
        bit += literalBits;
        word >>= literalBits;
        entry = literals[(entry >>> 16) + (word & ((1 << ((entry >>> 4) & 15)) - 1))]!;
      }
      let isTaken = at >= from;
      if ((entry & entryKind.literal) !== 0) {
        at += 1;
        bit += entry & 15;
      } else {
        let bits = entry & 15;
        let extra = (entry >>> 4) & 15;
        const length = (entry >>> 16) + ((word >> bits) & ((1 << extra) - 1));
        bit += bits + extra;
        word = view.getInt32(bit >>> 3, true) >> (bit & 7);
        entry = distances[word & ((1 << distanceBits) - 1)]!;
        if ((entry & entryKind.further) !== 0) {
          bit += distanceBits;
          word >>= distanceBits;
          entry = distances[(entry >>> 16) + (word & ((1 << ((entry >>> 4) & 15)) - 1))]!;
        }
        bits = entry & 15;
        extra = (entry >>> 4) & 15;
        bit += bits;
        word = view.getInt32(bit >>> 3, true) >> (bit & 7);
        const distance = (entry >>> 16) + (word & ((1 << extra) - 1));
        bit += extra;
        at += length;
        // Nothing was changed within the span.
        if (at > high) isTaken = false;
        else if (isTaken && symbolAt - distance < from) {
          isTaken = isRepeated(piece, symbolAt + shift, distance, length);
        }
      }
      if (isTaken === isInRun) continue;
      if (isInRun) {
        this.#at = at;
        this.#bit = bit;
        return { at: runAt, length: symbolAt - runAt, bit: runBit, bitEnd: symbolBit };
      }
      isInRun = true;
      runAt = symbolAt;
      runBit = symbolBit;
    }
    this.#at = at;
    this.#bit = bit;
    return { at: runAt, length: isInRun ? at - runAt : 0, bit: runBit, bitEnd: bit };
  }
}

function isRepeated(piece: Uint8Array, at: number, distance: number, length: number): boolean {
  if (at < distance) return false;
  for (let byte = at; byte < at + length; byte += 1) {
    if (piece[byte] !== piece[byte - distance]) return false;
  }
  return true;
}
