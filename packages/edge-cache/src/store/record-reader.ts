import type { FileHandle } from 'node:fs/promises';
import { type Clock, TaplineError } from '@tapline/base';
import { BufferPool } from './buffer-pool.ts';
import { DiskBody } from './disk-body.ts';
import { FileReads, readAside } from './file-reads.ts';
import { pieceBytes, type PieceSum } from './piece-sum.ts';
import { bodyFits, decodePrefix, readRecordHeader } from './record.ts';
import type { SegmentFile } from './segment-file.ts';
import type { KeptResponse } from './stored-response.ts';
import type { VariantMarker } from './variant-marker.ts';

/** Where a record is in its segment. */
interface Stretch {
  readonly offset: number;
  readonly length: number;
}

/** Up to here a record is read at once; beyond, its body is read as it is sent. */
const wholeBytes = 4 * pieceBytes;
/** Heads are rarely larger. */
const prefixBytes = 16 * 1024;
/** What slow viewers may hold together in pooled buffers: 64 MiB. */
const maxLent = 256;

/** Reads records, as little of each as is needed. */
export class RecordReader {
  readonly #reads: FileReads;
  readonly #pool: BufferPool;
  readonly #sum: PieceSum;

  constructor(init: { readonly clock: Clock; readonly sum: PieceSum }) {
    this.#sum = init.sum;
    this.#reads = new FileReads(init.clock);
    this.#pool = new BufferPool({ bytes: wholeBytes, limit: maxLent });
  }

  /** Undefined where the segment is gone, or what is there is not what was written: then it says so. */
  async read(
    segment: SegmentFile,
    place: Stretch,
    options: { readonly uses: number; readonly onDamaged: () => void },
  ): Promise<KeptResponse | VariantMarker | undefined> {
    if (!segment.hold()) return undefined;
    try {
      const found = await this.#readHeld(segment, place, options);
      if (found === undefined) options.onDamaged();
      return found;
    } finally {
      await segment.release();
    }
  }

  /** A record as it is. Throws where it is not all there. */
  async readRaw(segment: SegmentFile, { offset, length }: Stretch): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(length);
    if ((await readAside(segment.file, bytes, offset)) === length) return bytes;
    throw new TaplineError('not_kept', `${segment.path} is shorter than its index says`);
  }

  async #readHeld(
    segment: SegmentFile,
    { offset, length }: Stretch,
    { uses, onDamaged }: { readonly uses: number; readonly onDamaged: () => void },
  ): Promise<KeptResponse | VariantMarker | undefined> {
    const small = length <= wholeBytes;
    const first = await this.#fill(segment.file, offset, small ? length : prefixBytes);
    if (first === undefined) return undefined;
    const needed = readRecordHeader(first)?.prefixBytes ?? 0;
    if (needed > length) return undefined;
    const bytes = needed <= first.length ? first : await this.#fill(segment.file, offset, needed);
    const prefix = bytes === undefined ? undefined : decodePrefix(bytes);
    if (bytes === undefined || prefix === undefined) return undefined;
    if (prefix.kind === 'variants') return prefix;
    const { head, sums, bodyOffset, bodyBytes } = prefix;
    const sum = this.#sum;
    if (small) {
      const body = bytes.subarray(bodyOffset, bodyOffset + bodyBytes);
      const fits = body.length === bodyBytes && bodyFits(body, { at: 0, sums, sum });
      return fits ? { head, body } : undefined;
    }
    const body = new DiskBody({
      segment,
      offset: offset + bodyOffset,
      length: bodyBytes,
      sums,
      uses,
      sum,
      reads: this.#reads,
      pool: this.#pool,
      onDamaged,
    });
    return { head, body };
  }

  async #fill(file: FileHandle, position: number, bytes: number): Promise<Buffer | undefined> {
    const buffer = Buffer.allocUnsafeSlow(bytes);
    const read = this.#reads.read(file, buffer, position);
    return (typeof read === 'number' ? read : await read) === bytes ? buffer : undefined;
  }
}
