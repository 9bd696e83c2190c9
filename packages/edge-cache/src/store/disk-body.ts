import { TaplineError } from '@tapline/base';
import type { ByteSpan } from '../rfc/byte-range.ts';
import type { BufferPool } from './buffer-pool.ts';
import { type FileReads, readAside } from './file-reads.ts';
import { pieceBytes, type PieceSum } from './piece-sum.ts';
import { bodyFits } from './record.ts';
import type { SegmentFile } from './segment-file.ts';

export interface DiskBodyInit {
  readonly segment: SegmentFile;
  /** Of the body in the segment. */
  readonly offset: number;
  readonly length: number;
  readonly sums: Uint32Array;
  /** How often it was used before, as far as that is counted. */
  readonly uses: number;
  readonly sum: PieceSum;
  readonly reads: FileReads;
  readonly pool: BufferPool;
  /** What was read is not what was written. */
  readonly onDamaged: () => void;
}

/** A body that is on disk, read and checked piece by piece. */
export class DiskBody {
  readonly length: number;
  readonly uses: number;
  readonly #init: DiskBodyInit;
  #whole: Promise<Buffer> | undefined;

  constructor(init: DiskBodyInit) {
    this.#init = init;
    this.length = init.length;
    this.uses = init.uses;
  }

  /**
   * The bytes of a span, each checked before it is given. What is given is valid until the next is asked
   * for. Throws `not_kept` where it is damaged or was evicted.
   */
  async *pieces({ start, end }: ByteSpan): AsyncGenerator<Uint8Array, undefined> {
    const { segment, pool, reads } = this.#init;
    if (!segment.hold()) throw evicted();
    const pooled = pool.take();
    // Slow viewers in crowds hold little each.
    const buffer = pooled ?? Buffer.allocUnsafeSlow(pieceBytes);
    try {
      for (let at = start; at < end;) {
        const from = at - (at % pieceBytes);
        const wanted = buffer.subarray(0, Math.min(buffer.length, this.length - from));
        const read = reads.read(segment.file, wanted, this.#init.offset + from);
        this.#check(wanted, from, typeof read === 'number' ? read : await read);
        const until = Math.min(from + wanted.length, end);
        yield wanted.subarray(at - from, until - from);
        at = until;
      }
      return undefined;
    } finally {
      if (pooled !== undefined) pool.give(pooled);
      await segment.release();
    }
  }

  /** All of it, in a buffer of its own; read once for all who ask meanwhile. Throws as `pieces`. */
  async whole(): Promise<Buffer> {
    this.#whole ??= this.#readWhole().finally(() => (this.#whole = undefined));
    return await this.#whole;
  }

  async #readWhole(): Promise<Buffer> {
    const { segment, offset } = this.#init;
    if (!segment.hold()) throw evicted();
    try {
      const buffer = Buffer.allocUnsafeSlow(this.length);
      this.#check(buffer, 0, await readAside(segment.file, buffer, offset));
      return buffer;
    } finally {
      await segment.release();
    }
  }

  #check(bytes: Buffer, at: number, read: number): void {
    const { sums, sum, onDamaged } = this.#init;
    if (read === bytes.length && bodyFits(bytes, { at, sums, sum })) return;
    onDamaged();
    throw new TaplineError('not_kept', 'what is on disk is damaged');
  }
}

function evicted(): TaplineError {
  return new TaplineError('not_kept', 'it was evicted a moment ago');
}
