import type { BufferPool } from './buffer-pool.ts';

interface Chunk {
  readonly buffer: Uint8Array;
  /** Position of the buffer's first byte. */
  readonly start: number;
  used: number;
}

/**
 * The sequenced bytes that the peer has not acknowledged, encoded once and kept where they are: to be
 * handed to the transport, and again from any position after a cut. Positions count sequenced bytes
 * since the session began.
 */
export class SendLog {
  readonly #pool: BufferPool;
  #chunks: Chunk[] = [];
  #end = 0;
  #acknowledged = 0;
  #handed = 0;
  /** The furthest that was ever handed over. */
  #furthest = 0;
  #resent = 0;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** Position after the last byte. */
  get end(): number {
    return this.#end;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  get unacknowledged(): number {
    return this.#end - this.#acknowledged;
  }

  get waiting(): number {
    return this.#end - this.#handed;
  }

  get handed(): number {
    return this.#handed;
  }

  /** Whether a peer may go on from `position`. */
  has(position: number): boolean {
    return position >= this.#acknowledged && position <= this.#furthest;
  }

  get resent(): number {
    return this.#resent;
  }

  /** A buffer with room for `bytes`, to be written at `offset`; `commit` says how many were. */
  room(bytes: number): Uint8Array {
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.used + bytes <= last.buffer.length) return last.buffer;
    const buffer = this.#pool.take();
    this.#chunks.push({ buffer, start: this.#end, used: 0 });
    return buffer;
  }

  /** Where in the buffer of `room` to write. */
  get offset(): number {
    return this.#chunks.at(-1)?.used ?? 0;
  }

  commit(bytes: number): void {
    const last = this.#chunks.at(-1);
    if (last === undefined) return;
    last.used += bytes;
    this.#end += bytes;
  }

  /** Whole frames for the transport, of one buffer; undefined where all was handed over. */
  next(): Uint8Array | undefined {
    for (const { buffer, start, used } of this.#chunks) {
      const from = this.#handed - start;
      if (from >= used) continue;
      this.#resent += Math.max(0, Math.min(this.#furthest, start + used) - this.#handed);
      this.#handed = start + used;
      this.#furthest = Math.max(this.#furthest, this.#handed);
      return buffer.subarray(from, used);
    }
    return undefined;
  }

  /** The peer has everything up to `position`. False where that cannot be. */
  acknowledge(position: number): boolean {
    if (position > this.#handed || position < this.#acknowledged) return false;
    this.#acknowledged = position;
    let whole = 0;
    for (const chunk of this.#chunks) {
      if (chunk.start + chunk.used > position) break;
      this.#pool.give(chunk.buffer);
      whole += 1;
    }
    if (whole > 0) this.#chunks = this.#chunks.slice(whole);
    return true;
  }

  /** After a cut: the peer has everything up to `position`, and the rest is handed over anew. */
  rewind(position: number): void {
    this.#handed = Math.max(this.#handed, position);
    this.acknowledge(position);
    this.#handed = position;
  }

  dispose(): void {
    for (const { buffer } of this.#chunks) this.#pool.give(buffer);
    this.#chunks = [];
    this.#acknowledged = this.#handed = this.#end;
  }
}
