/* oxlint-disable typescript/no-non-null-assertion -- indexes are in range, and this is the hottest loop of a build */
import type { CompressedInput } from './compressed-input.ts';
import { BlockCodes, distanceBits, literalBits } from './block-codes.ts';
import { entryKind } from './inflate-table.ts';

/** A block of a deflate stream that is compressed, and what it stands for. */
export interface InflatedBlock {
  /** In the unpacked bytes: its first, and that behind its last. */
  readonly start: number;
  readonly end: number;
  /** The first of the unpacked bytes that it refers to, or its own first. */
  readonly reach: number;
  /** In the bits of the input: its first, and that behind its last. */
  readonly bitStart: number;
  readonly bitEnd: number;
}

export interface InflateDecoderOptions {
  /** Told of each block that is compressed once it is decoded. */
  readonly onBlock?: (block: InflatedBlock) => void;
  /** Unpacked bytes that come at once. */
  readonly chunkBytes?: number;
}

const history = 32_768;
const longestMatch = 258;

/** How the loop over symbols ended. */
const endings = { blockEnd: 0, full: 1, badSymbol: 2, badDistance: 3 } as const;

/**
 * Inflate (RFC 1951) that says which bits of its input stand for which bytes, so that whoever writes
 * these bytes again can copy the bits. Takes and refuses what zlib does.
 */
export class InflateDecoder {
  readonly #input: CompressedInput;
  readonly #onBlock: ((block: InflatedBlock) => void) | undefined;
  readonly #out: Uint8Array;
  readonly #view: DataView;
  readonly #full: number;
  readonly #codes = new BlockCodes();
  #phase: 'header' | 'codes' | 'stored' | 'end' = 'header';
  #isLast = false;
  #storedLeft = 0;
  /** In `#out`: what was decoded begins behind the history, and ends here. */
  #at = history;
  /** Unpacked bytes before the first of `#out`; negative while there is less than a history. */
  #before = -history;
  #blockStart = 0;
  #blockReach = 0;
  #blockBit = 0;

  constructor(input: CompressedInput, options: InflateDecoderOptions = {}) {
    this.#input = input;
    this.#onBlock = options.onBlock;
    this.#full = history + (options.chunkBytes ?? 512 * 1024);
    // A match is copied in words of four bytes, and may be written beyond its end.
    this.#out = new Uint8Array(this.#full + longestMatch + 8);
    this.#view = new DataView(this.#out.buffer);
  }

  /**
   * The next unpacked bytes, valid until the next call; undefined at the end of the stream, where
   * `input` is at the first bit behind it. Throws `deflate_corrupt`.
   */
  next(): Uint8Array | undefined {
    this.#slide();
    while (this.#phase !== 'end' && this.#at < this.#full) this.#step();
    return this.#at > history ? this.#out.subarray(history, this.#at) : undefined;
  }

  #slide(): void {
    const decoded = this.#at - history;
    this.#out.copyWithin(0, decoded, this.#at);
    this.#before += decoded;
    this.#at = history;
  }

  #step(): void {
    this.#input.fill();
    if (this.#phase === 'header') this.#readHeader();
    else if (this.#phase === 'stored') this.#copyStored();
    else this.#readCodes();
  }

  #endBlock(): void {
    this.#phase = this.#isLast ? 'end' : 'header';
  }

  #readHeader(): void {
    const input = this.#input;
    this.#blockBit = input.position;
    this.#blockStart = this.#blockReach = this.#before + this.#at;
    this.#isLast = input.bits(1) === 1;
    const type = input.bits(2);
    if (type === 0) {
      input.align();
      const size = input.bits(16);
      if ((input.bits(16) ^ 0xffff) !== size) throw input.corrupt('a stored block of two sizes');
      this.#storedLeft = size;
      this.#phase = 'stored';
      if (size === 0) this.#endBlock();
      return;
    }
    this.#codes.read(input, type);
    this.#phase = 'codes';
  }

  #copyStored(): void {
    const bytes = this.#input.take(Math.min(this.#storedLeft, this.#full - this.#at));
    if (bytes.length === 0) throw this.#input.truncated();
    this.#out.set(bytes, this.#at);
    this.#at += bytes.length;
    this.#storedLeft -= bytes.length;
    if (this.#storedLeft === 0) this.#endBlock();
  }

  #readCodes(): void {
    const input = this.#input;
    const ending = this.#decode();
    if (input.bit > input.bitEnd) throw input.truncated();
    switch (ending) {
      case endings.blockEnd:
        this.#endBlock();
        this.#onBlock?.({
          start: this.#blockStart,
          end: this.#before + this.#at,
          reach: this.#blockReach,
          bitStart: this.#blockBit,
          bitEnd: input.position,
        });
        return;
      case endings.full:
        if (input.ended && input.bit === input.bitEnd) throw input.truncated();
        return;
      case endings.badSymbol:
        throw input.corrupt('a code that means nothing');
      case endings.badDistance:
        throw input.corrupt('a match before the first byte');
    }
  }

  /** Symbols until the block ends, the output is full or the input has to be filled. */
  #decode(): (typeof endings)[keyof typeof endings] {
    const input = this.#input;
    const { view } = input;
    const literals = this.#codes.literals.entries;
    const distances = this.#codes.distances.entries;
    const out = this.#out;
    const outView = this.#view;
    const full = this.#full;
    const lowest = Math.max(0, -this.#before);
    // A literal and a match take 48 bits at most.
    const stop = input.ended ? input.bitEnd : input.bitEnd - 64;
    let reach = this.#blockReach - this.#before;
    let bit = input.bit;
    let at = this.#at;
    let ending: (typeof endings)[keyof typeof endings] = endings.full;
    while (at < full && bit < stop) {
      // Shifts keep the sign, as all that is used is masked: words stay integers of 32 bits.
      // 25 bits and more: a code of 15 with 5 extra bits, or a short one before.
      let word = view.getInt32(bit >>> 3, true) >> (bit & 7);
      let entry = literals[word & ((1 << literalBits) - 1)]!;
      if ((entry & entryKind.literal) !== 0) {
        out[at++] = entry >>> 16;
        bit += entry & 15;
        word >>= entry & 15;
        entry = literals[word & ((1 << literalBits) - 1)]!;
        if ((entry & entryKind.literal) !== 0) {
          out[at++] = entry >>> 16;
          bit += entry & 15;
          continue;
        }
        word = view.getInt32(bit >>> 3, true) >> (bit & 7);
      }
      if ((entry & entryKind.further) !== 0) {
        bit += literalBits;
        word >>= literalBits;
        entry = literals[(entry >>> 16) + (word & ((1 << ((entry >>> 4) & 15)) - 1))]!;
        if ((entry & entryKind.literal) !== 0) {
          out[at++] = entry >>> 16;
          bit += entry & 15;
          continue;
        }
      }
      if ((entry & entryKind.match) === 0) {
        bit += entry & 15;
        ending = entry === 0 ? endings.badSymbol : endings.blockEnd;
        break;
      }
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
      if (entry === 0) {
        ending = endings.badSymbol;
        break;
      }
      bits = entry & 15;
      extra = (entry >>> 4) & 15;
      bit += bits;
      word = view.getInt32(bit >>> 3, true) >> (bit & 7);
      const distance = (entry >>> 16) + (word & ((1 << extra) - 1));
      bit += extra;
      let from = at - distance;
      if (from < lowest) {
        ending = endings.badDistance;
        break;
      }
      if (from < reach) reach = from;
      const end = at + length;
      if (distance >= 4) {
        for (; at < end; at += 4, from += 4) {
          outView.setInt32(at, outView.getInt32(from, true), true);
        }
      } else if (distance === 1) {
        out.fill(out[from]!, at, end);
      } else {
        while (at < end) out[at++] = out[from++]!;
      }
      at = end;
    }
    input.bit = bit;
    this.#at = at;
    this.#blockReach = reach + this.#before;
    return ending;
  }
}
