/* oxlint-disable typescript/no-non-null-assertion -- indexes are in range, and this is the hottest loop of a build */
import { deflateCodeLengths } from './deflate-code-lengths.ts';
import {
  codeLengthOrder,
  distanceBase,
  distanceCodeOf,
  distanceExtraBits,
  lengthBase,
  lengthCodeOf,
  lengthExtraBits,
} from './deflate-symbols.ts';

const hashBits = 15;
const maxDistance = 32_768;
const maxMatch = 258;
const blockTokens = 32_768;
// With at most 5 extra bits, and 15 left of what came before, a length fits into 32 bits.
const maxLiteralBits = 12;
const maxDistanceBits = 15;
const endOfBlock = 256;
/** A block as small as this is not worth codes of its own. */
const fixedBytes = 1024;

/** Bits of a block of another deflate stream that stand for some of the bytes of a piece. */
export interface KeptBits {
  /** Where the bytes begin in the piece, and how many they are. */
  readonly at: number;
  readonly length: number;
  /** Has all of the bits, and four bytes more. */
  readonly bytes: Uint8Array;
  /** Which bits make a block, one range behind the other; fewer than eight for each byte. */
  readonly ranges: readonly BitRange[];
}

export interface BitRange {
  readonly from: number;
  readonly to: number;
}

/** Ends a deflate stream: an empty block that says it is the last. */
export const deflateEnd: Uint8Array = Uint8Array.of(3, 0);

/**
 * Deflate (RFC 1951) whose bytes follow from its input alone: the compressors of zlib choose their
 * matches by version and processor. Greedy, one candidate a position, integers only.
 *
 * Owns tables of 300 KiB, so that one encoder is used for many pieces.
 */
export class DeflateEncoder {
  readonly #heads = new Int32Array(1 << hashBits);
  /** Of each match: how many literals come before it; and `length << 15 | distance - 1`. */
  readonly #literalRuns = new Uint32Array(blockTokens + 1);
  readonly #matches = new Uint32Array(blockTokens);
  readonly #literals = new Uint32Array(286);
  readonly #distances = new Uint32Array(30);
  #out = new Uint8Array(0);
  #at = 0;
  #bits = 0;
  #bitCount = 0;

  /**
   * The blocks of a piece, ending at a byte's boundary, none of them the last. Nothing in them
   * refers to what came before, so that pieces are decoded apart from each other. What is `kept`, in
   * its order, is copied instead of compressed, and must refer to nothing before the piece. The result
   * is valid until the next call.
   */
  encode(input: Uint8Array, kept: readonly KeptBits[] = []): Uint8Array {
    // No `Buffer`: what is compiled for one of the two is thrown away when the other comes.
    const data = new Uint8Array(input.buffer, input.byteOffset, input.length);
    // Between what is kept, fixed codes may take nine bits a byte.
    const worst = data.length + (data.length >> 10) + 1024 + kept.length * (16 + fixedBytes / 8);
    if (this.#out.length < worst) this.#out = new Uint8Array(worst);
    this.#at = 0;
    this.#bits = 0;
    this.#bitCount = 0;
    this.#heads.fill(-maxDistance - 1);
    let from = 0;
    for (const bits of kept) {
      while (from < bits.at) from = this.#block(data, { from, to: bits.at });
      this.#copy(bits);
      from += bits.length;
    }
    while (from < data.length) from = this.#block(data, { from, to: data.length });
    // RFC 1951 §3.2.4: an empty stored block aligns.
    this.#put(0, 3);
    this.#align();
    this.#out.set([0, 0, 0xff, 0xff], this.#at);
    return this.#out.subarray(0, this.#at + 4);
  }

  /** Finds the matches of one block and writes it; where the next one begins. */
  #block(data: Uint8Array, range: { readonly from: number; readonly to: number }): number {
    const { from, to } = range;
    const heads = this.#heads;
    const matches = this.#matches;
    const literalRuns = this.#literalRuns;
    const literals = this.#literals;
    const distances = this.#distances;
    literals.fill(0);
    distances.fill(0);
    const view = new DataView(data.buffer, data.byteOffset, to);
    // A hash takes four bytes: the last three are literals.
    const lastWord = to - 4;
    let count = 0;
    let tokens = 0;
    let misses = 0;
    let at = from;
    let literalsFrom = from;
    while (at < to && tokens < blockTokens) {
      if (at <= lastWord) {
        const word = view.getInt32(at, true);
        const slot = slotOf(word);
        const candidate = heads[slot]!;
        heads[slot] = at;
        if (at - candidate <= maxDistance && view.getInt32(candidate, true) === word) {
          const stop = Math.min(matchEnd(view, at, candidate), at + maxMatch);
          const distance = at - candidate;
          literalRuns[count] = at - literalsFrom;
          matches[count] = ((stop - at) << 15) | (distance - 1);
          count += 1;
          tokens += 1;
          literals[257 + lengthCodeOf[stop - at]!]! += 1;
          distances[distanceCodeOf[distance]!]! += 1;
          // What the match covers is found later by its second and its last bytes.
          if (at + 1 <= lastWord) heads[slotOf(view.getInt32(at + 1, true))] = at + 1;
          if (stop - 2 <= lastWord) heads[slotOf(view.getInt32(stop - 2, true))] = stop - 2;
          at = stop;
          literalsFrom = stop;
          misses = 0;
          continue;
        }
      }
      // What has no matches is looked at more and more loosely, as compressed files are.
      const run = Math.min(1 + (misses >> 4), to - at, blockTokens - tokens);
      misses += 1;
      at += run;
      tokens += run;
    }
    literalRuns[count] = at - literalsFrom;
    this.#countLiterals(data, { from, count });
    literals[endOfBlock] = 1;
    this.#write(data.subarray(from, at), count);
    return at;
  }

  /** A block of another stream: as it is, but that it is not the last. */
  #copy({ bytes, ranges }: KeptBits): void {
    const source = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#put(0, 1);
    let isFirst = true;
    for (const { from, to } of ranges) {
      this.#copyBits(source, { from: isFirst ? from + 1 : from, to });
      isFirst = false;
    }
  }

  #copyBits(source: DataView, { from, to }: BitRange): void {
    const out = new DataView(this.#out.buffer);
    let at = from;
    // At most 7 bits wait, so that 24 more fit.
    for (; at <= to - 24; at += 24) {
      const word = (source.getInt32(at >>> 3, true) >>> (at & 7)) & 0xffffff;
      this.#bits |= word << this.#bitCount;
      out.setInt32(this.#at, this.#bits, true);
      this.#at += 3;
      this.#bits >>>= 24;
    }
    const word = source.getInt32(at >>> 3, true) >>> (at & 7);
    const left = to - at;
    this.#put(word & ((1 << Math.min(left, 12)) - 1), Math.min(left, 12));
    if (left > 12) this.#put((word >>> 12) & ((1 << (left - 12)) - 1), left - 12);
  }

  #countLiterals(data: Uint8Array, block: { readonly from: number; readonly count: number }): void {
    const { from, count } = block;
    const literals = this.#literals;
    const literalRuns = this.#literalRuns;
    const matches = this.#matches;
    let at = from;
    for (let index = 0; index <= count; index += 1) {
      const stop = at + literalRuns[index]!;
      for (; at < stop; at += 1) literals[data[at]!]! += 1;
      if (index < count) at += matches[index]! >>> 15;
    }
  }

  #write(raw: Uint8Array, count: number): void {
    if (raw.length <= fixedBytes) {
      // Not the last block, the codes that everybody has.
      this.#put(0b010, 3);
      this.#writeMatches(raw, count, fixedCodes);
      return;
    }
    const literalLengths = deflateCodeLengths(this.#literals, maxLiteralBits);
    const distanceLengths = deflateCodeLengths(this.#distances, maxDistanceBits);
    const header = encodeCodeLengths(literalLengths, distanceLengths);
    const bits = 17 + header.bits + this.#costOf(literalLengths, distanceLengths);
    const storedBits = (raw.length + 5 * Math.ceil(raw.length / 65_535) + 1) * 8;
    if (bits >= storedBits) {
      this.#store(raw);
      return;
    }
    // Not the last block, dynamic codes.
    this.#put(0b100, 3);
    this.#put(header.literals - 257, 5);
    this.#put(header.distances - 1, 5);
    this.#put(header.order - 4, 4);
    for (const symbol of codeLengthOrder.slice(0, header.order)) {
      this.#put(header.lengths[symbol]!, 3);
    }
    const lengthCodes = reversedCodes(header.lengths);
    for (const { symbol, extra, extraBits } of header.runs) {
      this.#put(lengthCodes[symbol]!, header.lengths[symbol]!);
      this.#put(extra, extraBits);
    }
    this.#writeMatches(raw, count, symbolCodes(literalLengths, distanceLengths));
  }

  #costOf(literalLengths: Uint8Array, distanceLengths: Uint8Array): number {
    let bits = 0;
    for (const [symbol, frequency] of this.#literals.entries()) {
      const extra = symbol < 257 ? 0 : lengthExtraBits[symbol - 257]!;
      bits += frequency * (literalLengths[symbol]! + extra);
    }
    for (const [symbol, frequency] of this.#distances.entries()) {
      bits += frequency * (distanceLengths[symbol]! + distanceExtraBits[symbol]!);
    }
    return bits;
  }

  /** Literals and matches. Bits leave in whole bytes, four of which are written over and over. */
  #writeMatches(raw: Uint8Array, count: number, codes: SymbolCodes): void {
    const { literals: packedLiterals, distances: packedDistances, lengths: packedLengths } = codes;
    const literalRuns = this.#literalRuns;
    const matches = this.#matches;
    const out = new DataView(this.#out.buffer);
    let at = this.#at;
    let bits = this.#bits;
    // At most 7 where something is added: 24 more bits fit.
    let bitCount = this.#bitCount;
    let from = 0;
    for (let index = 0; index <= count; index += 1) {
      const stop = from + literalRuns[index]!;
      for (; from < stop - 1; from += 2) {
        const first = packedLiterals[raw[from]!]!;
        bits |= (first >>> 5) << bitCount;
        bitCount += first & 31;
        const second = packedLiterals[raw[from + 1]!]!;
        bits |= (second >>> 5) << bitCount;
        bitCount += second & 31;
        out.setInt32(at, bits, true);
        at += bitCount >>> 3;
        bits >>>= bitCount & 24;
        bitCount &= 7;
      }
      if (from < stop) {
        const literal = packedLiterals[raw[from]!]!;
        bits |= (literal >>> 5) << bitCount;
        bitCount += literal & 31;
        from = stop;
        out.setInt32(at, bits, true);
        at += bitCount >>> 3;
        bits >>>= bitCount & 24;
        bitCount &= 7;
      }
      if (index === count) break;
      const match = matches[index]!;
      const length = packedLengths[match >>> 15]!;
      from += match >>> 15;
      bits |= (length >>> 5) << bitCount;
      bitCount += length & 31;
      out.setInt32(at, bits, true);
      at += bitCount >>> 3;
      bits >>>= bitCount & 24;
      bitCount &= 7;
      const distance = (match & 0x7fff) + 1;
      const code = distanceCodeOf[distance]!;
      const packed = packedDistances[code]!;
      bits |= (packed >>> 5) << bitCount;
      bitCount += packed & 31;
      out.setInt32(at, bits, true);
      at += bitCount >>> 3;
      bits >>>= bitCount & 24;
      bitCount &= 7;
      bits |= (distance - distanceBase[code]!) << bitCount;
      bitCount += distanceExtraBits[code]!;
      out.setInt32(at, bits, true);
      at += bitCount >>> 3;
      bits >>>= bitCount & 24;
      bitCount &= 7;
    }
    this.#at = at;
    this.#bits = bits;
    this.#bitCount = bitCount;
    const end = packedLiterals[endOfBlock]!;
    this.#put(end >>> 5, end & 31);
  }

  #store(raw: Uint8Array): void {
    for (let from = 0; from < raw.length; from += 65_535) {
      const part = raw.subarray(from, from + 65_535);
      this.#put(0, 3);
      this.#align();
      const size = part.length;
      this.#out.set([size & 0xff, size >>> 8, ~size & 0xff, (~size >>> 8) & 0xff], this.#at);
      this.#out.set(part, this.#at + 4);
      this.#at += 4 + size;
    }
  }

  /** At most 16 bits. */
  #put(value: number, count: number): void {
    this.#bits |= value << this.#bitCount;
    this.#bitCount += count;
    while (this.#bitCount >= 8) {
      this.#out[this.#at++] = this.#bits;
      this.#bits >>>= 8;
      this.#bitCount -= 8;
    }
  }

  #align(): void {
    if (this.#bitCount > 0) this.#put(0, 8 - this.#bitCount);
  }
}

function slotOf(word: number): number {
  return Math.imul(word, -1_640_531_535) >>> (32 - hashBits);
}

/** Where the bytes from `at`, four of which are those of `candidate`, stop being the same. */
function matchEnd(view: DataView, at: number, candidate: number): number {
  const distance = at - candidate;
  const length = view.byteLength;
  const limit = Math.min(length, at + maxMatch);
  let stop = at + 4;
  for (; stop < limit && stop <= length - 4; stop += 4) {
    const differing = view.getInt32(stop, true) ^ view.getInt32(stop - distance, true);
    if (differing === 0) continue;
    if ((differing & 0xffff) !== 0) return (differing & 0xff) === 0 ? stop + 1 : stop;
    return (differing & 0xff0000) === 0 ? stop + 3 : stop + 2;
  }
  while (stop < limit && view.getUint8(stop) === view.getUint8(stop - distance)) stop += 1;
  return stop;
}

/** Canonical codes (RFC 1951 §3.2.2) with their first bit lowest, as they are written. */
function reversedCodes(lengths: Uint8Array): Uint16Array {
  const next = new Uint16Array(17);
  for (const length of lengths) if (length > 0) next[length + 1]! += 1;
  for (let length = 1; length < next.length; length += 1) {
    next[length] = (next[length]! + next[length - 1]!) << 1;
  }
  const codes = new Uint16Array(lengths.length);
  for (const [symbol, length] of lengths.entries()) {
    if (length === 0) continue;
    let code = next[length]!++;
    let reversed = 0;
    for (let bit = 0; bit < length; bit += 1) {
      reversed = (reversed << 1) | (code & 1);
      code >>>= 1;
    }
    codes[symbol] = reversed;
  }
  return codes;
}

/** What is written for each symbol, with the number of its bits below it. */
interface SymbolCodes {
  readonly literals: Uint32Array;
  readonly distances: Uint32Array;
  /** By the length of a match, with its extra bits. */
  readonly lengths: Uint32Array;
}

function symbolCodes(literalLengths: Uint8Array, distanceLengths: Uint8Array): SymbolCodes {
  const codes = reversedCodes(literalLengths);
  return {
    literals: packedCodes(codes, literalLengths),
    distances: packedCodes(reversedCodes(distanceLengths), distanceLengths),
    lengths: packedMatchLengths(codes, literalLengths),
  };
}

function packedCodes(codes: Uint16Array, lengths: Uint8Array): Uint32Array {
  const packed = new Uint32Array(codes.length);
  for (let symbol = 0; symbol < codes.length; symbol += 1) {
    packed[symbol] = (codes[symbol]! << 5) | lengths[symbol]!;
  }
  return packed;
}

function packedMatchLengths(codes: Uint16Array, lengths: Uint8Array): Uint32Array {
  const packed = new Uint32Array(maxMatch + 1);
  for (let length = 3; length <= maxMatch; length += 1) {
    const code = lengthCodeOf[length]!;
    const codeBits = lengths[257 + code]!;
    const bits = codes[257 + code]! | ((length - lengthBase[code]!) << codeBits);
    packed[length] = (bits << 5) | (codeBits + lengthExtraBits[code]!);
  }
  return packed;
}

/** RFC 1951 §3.2.6: codes that need no description. */
const fixedCodes = symbolCodes(
  new Uint8Array(288).fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280, 288),
  new Uint8Array(30).fill(5),
);

interface LengthRun {
  readonly symbol: number;
  readonly extra: number;
  readonly extraBits: number;
}

/** RFC 1951 §3.2.7: the lengths of both codes, as runs under a code of their own. */
function encodeCodeLengths(
  literalLengths: Uint8Array,
  distanceLengths: Uint8Array,
): {
  readonly literals: number;
  readonly distances: number;
  readonly order: number;
  readonly lengths: Uint8Array;
  readonly runs: readonly LengthRun[];
  readonly bits: number;
} {
  const literals = Math.max(257, usedOf(literalLengths));
  const distances = Math.max(1, usedOf(distanceLengths));
  const all = [...literalLengths.subarray(0, literals), ...distanceLengths.subarray(0, distances)];
  const runs = runsOf(all);
  const frequencies = new Uint32Array(19);
  for (const { symbol } of runs) frequencies[symbol]! += 1;
  const lengths = deflateCodeLengths(frequencies, 7);
  let order = codeLengthOrder.length;
  while (order > 4 && lengths[codeLengthOrder[order - 1]!] === 0) order -= 1;
  let bits = order * 3;
  for (const { symbol, extraBits } of runs) bits += lengths[symbol]! + extraBits;
  return { literals, distances, order, lengths, runs, bits };
}

function usedOf(lengths: Uint8Array): number {
  let used = lengths.length;
  while (used > 0 && lengths[used - 1] === 0) used -= 1;
  return used;
}

function runsOf(lengths: readonly number[]): readonly LengthRun[] {
  const runs: LengthRun[] = [];
  for (let at = 0; at < lengths.length;) {
    const length = lengths[at]!;
    let run = 1;
    while (lengths[at + run] === length) run += 1;
    at += run;
    if (length === 0) {
      while (run >= 11) {
        const taken = Math.min(run, 138);
        runs.push({ symbol: 18, extra: taken - 11, extraBits: 7 });
        run -= taken;
      }
      if (run >= 3) {
        runs.push({ symbol: 17, extra: run - 3, extraBits: 3 });
        run = 0;
      }
    } else if (run >= 4) {
      runs.push({ symbol: length, extra: 0, extraBits: 0 });
      run -= 1;
      while (run >= 3) {
        const taken = Math.min(run, 6);
        runs.push({ symbol: 16, extra: taken - 3, extraBits: 2 });
        run -= taken;
      }
    }
    for (; run > 0; run -= 1) runs.push({ symbol: length, extra: 0, extraBits: 0 });
  }
  return runs;
}
