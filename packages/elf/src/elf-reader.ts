import { malformed } from './malformed.ts';

/** Bounds-checked little-endian reads; `what` says in errors what was being read. */
export class ElfReader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u16(offset: number, what: string): number {
    this.check(offset, { size: 2, what });
    return this.#view.getUint16(offset, true);
  }

  u32(offset: number, what: string): number {
    this.check(offset, { size: 4, what });
    return this.#view.getUint32(offset, true);
  }

  u64(offset: number, what: string): bigint {
    this.check(offset, { size: 8, what });
    return this.#view.getBigUint64(offset, true);
  }

  /** An offset, address or size; no real file comes near 2^53. */
  size(offset: number, what: string): number {
    this.check(offset, { size: 8, what });
    const high = this.#view.getUint32(offset + 4, true);
    if (high >= 2 ** 21) {
      throw malformed(`${what} 0x${this.u64(offset, what).toString(16)} exceeds 2^53`, offset);
    }
    return high * 2 ** 32 + this.#view.getUint32(offset, true);
  }

  /** A view of `size` bytes, not a copy. */
  slice(offset: number, range: { readonly size: number; readonly what: string }): Uint8Array {
    this.check(offset, range);
    return this.bytes.subarray(offset, offset + range.size);
  }

  check(offset: number, { size, what }: { readonly size: number; readonly what: string }): void {
    if (offset < 0 || size < 0 || offset + size > this.bytes.length) {
      throw malformed(
        `${what} of ${size} bytes goes beyond the file's ${this.bytes.length}`,
        offset,
      );
    }
  }
}
