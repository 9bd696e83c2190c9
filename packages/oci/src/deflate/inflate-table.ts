/* oxlint-disable typescript/no-non-null-assertion -- indexes are in range, and tables are made for every block */
import { distanceBase, distanceExtraBits, lengthBase, lengthExtraBits } from './deflate-symbols.ts';

/**
 * What an entry of a table stands for. It has the number of its code's bits in bits 0 to 3, extra bits
 * (or, of a further table, the bits that choose in it) in 4 to 7, and above 16 the literal, the least
 * length or distance, or where the further table begins. 0 is a code that means nothing.
 */
export const entryKind = {
  literal: 0x100,
  match: 0x200,
  endOfBlock: 0x400,
  further: 0x800,
} as const;

/** Entries of length and literal symbols (RFC 1951 §3.2.5) without their codes. */
const literalEntries = Uint32Array.from({ length: 288 }, (_, symbol) => {
  if (symbol < 256) return (symbol << 16) | entryKind.literal;
  if (symbol === 256) return entryKind.endOfBlock;
  const code = symbol - 257;
  if (code >= lengthBase.length) return 0;
  return (lengthBase[code]! << 16) | (lengthExtraBits[code]! << 4) | entryKind.match;
});
const distanceEntries = Uint32Array.from({ length: 32 }, (_, code) =>
  code < distanceBase.length
    ? (distanceBase[code]! << 16) | (distanceExtraBits[code]! << 4) | entryKind.match
    : 0,
);
const codeLengthEntries = Uint32Array.from({ length: 19 }, (_, symbol) => symbol << 16);

export type InflateAlphabet = 'literals' | 'distances' | 'code-lengths';

const alphabets = {
  literals: literalEntries,
  distances: distanceEntries,
  'code-lengths': codeLengthEntries,
} as const;

/**
 * Decodes a canonical Huffman code: looked up by the next {@link bits} bits, and again where a code is
 * longer. Made anew for every block in memory that stays.
 */
export class InflateTable {
  readonly entries: Uint32Array;
  readonly bits: number;
  readonly #alphabet: Uint32Array;
  readonly #mayBeIncomplete: boolean;
  readonly #counts = new Uint16Array(17);
  readonly #codes = new Uint16Array(17);
  readonly #furtherBits: Uint8Array;

  constructor(alphabet: InflateAlphabet, bits: number) {
    this.bits = bits;
    this.#alphabet = alphabets[alphabet];
    this.#mayBeIncomplete = alphabet !== 'code-lengths';
    // No code has more than 15 bits: further tables have at most as many entries as this.
    this.entries = new Uint32Array((1 << bits) + this.#alphabet.length * (1 << (15 - bits)));
    this.#furtherBits = new Uint8Array(1 << bits);
  }

  /** False where the lengths are no code, by the rules of zlib. */
  build(lengths: Uint8Array): boolean {
    const { entries, bits } = this;
    const counts = this.#counts.fill(0);
    for (const length of lengths) counts[length]! += 1;
    counts[0] = 0;
    let longest = 15;
    while (longest > 0 && counts[longest] === 0) longest -= 1;
    entries.fill(0, 0, 1 << bits);
    let left = 1;
    let code = 0;
    for (let length = 1; length <= 15; length += 1) {
      left = left * 2 - counts[length]!;
      if (left < 0) return false;
      code = (code + counts[length - 1]!) << 1;
      this.#codes[length] = code;
    }
    // A code of one bit may stand alone, or none at all.
    if (left > 0 && !(this.#mayBeIncomplete && longest <= 1)) return false;
    if (longest > bits) this.#measureFurther(lengths);
    this.#place(lengths);
    return true;
  }

  /** How many bits choose in each of the further tables. */
  #measureFurther(lengths: Uint8Array): void {
    const { bits } = this;
    const further = this.#furtherBits.fill(0);
    const next = Uint16Array.from(this.#codes);
    for (const length of lengths) {
      if (length === 0) continue;
      const code = next[length]!++;
      if (length <= bits) continue;
      const prefix = reversed(code, length) & ((1 << bits) - 1);
      further[prefix] = Math.max(further[prefix]!, length - bits);
    }
  }

  #place(lengths: Uint8Array): void {
    const { entries, bits } = this;
    const codes = this.#codes;
    let free = 1 << bits;
    for (let symbol = 0; symbol < lengths.length; symbol += 1) {
      const length = lengths[symbol]!;
      if (length === 0) continue;
      const path = reversed(codes[length]!++, length);
      const entry = this.#alphabet[symbol]!;
      if (length <= bits) {
        const own = entry === 0 && this.#mayBeIncomplete ? 0 : entry | length;
        for (let at = path; at < 1 << bits; at += 1 << length) entries[at] = own;
        continue;
      }
      const prefix = path & ((1 << bits) - 1);
      const chosenBy = this.#furtherBits[prefix]!;
      if (entries[prefix] === 0) {
        entries[prefix] = (free << 16) | (chosenBy << 4) | entryKind.further | bits;
        entries.fill(0, free, free + (1 << chosenBy));
        free += 1 << chosenBy;
      }
      const start = entries[prefix]! >>> 16;
      const own = entry === 0 ? 0 : entry | (length - bits);
      for (let at = path >>> bits; at < 1 << chosenBy; at += 1 << (length - bits)) {
        entries[start + at] = own;
      }
    }
  }
}

function reversed(code: number, length: number): number {
  let result = 0;
  for (let bit = 0; bit < length; bit += 1) result = (result << 1) | ((code >>> bit) & 1);
  return result;
}
