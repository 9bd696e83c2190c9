import { deflateCorrupt } from './deflate-error.ts';

/**
 * Bytes that are read as bits, the lowest of each byte first. A decoder takes `view` and `bit` into
 * locals, and puts `bit` back.
 */
export class BitReader {
  readonly view: DataView;
  /** Where the next bit lies in `view`. */
  bit: number;
  /** Bits of `view` that are there; four bytes more can be looked at. */
  bitEnd: number;

  constructor(
    view: DataView,
    range: { readonly from: number; readonly to: number } = { from: 0, to: 0 },
  ) {
    this.view = view;
    this.bit = range.from;
    this.bitEnd = range.to;
  }

  /** Of the next bit, for errors. */
  get position(): number {
    return this.bit;
  }

  /** The next bits, at most 16. Throws `deflate_corrupt` where there are not as many. */
  bits(count: number): number {
    const value = this.peek() & ((1 << count) - 1);
    this.bit += count;
    if (this.bit > this.bitEnd) throw this.truncated();
    return value;
  }

  /** The next bits, 25 of them at least; zeros behind the end. */
  peek(): number {
    return this.view.getInt32(this.bit >>> 3, true) >>> (this.bit & 7);
  }

  corrupt(what: string): Error {
    return deflateCorrupt(what, this.position);
  }

  truncated(): Error {
    return this.corrupt('the end of the input within a stream');
  }
}
