import type { BufferPool } from './buffer-pool.ts';
import { SendLog } from './send-log.ts';
import type { Transport } from './transport.ts';
import { writeHeader } from './write-header.ts';

/** Small at first, as an idle tunnel keeps it. */
const leastScratchBytes = 64;
const mostScratchBytes = 1024;

/** What goes to a transport: frames that are not numbered first, then the log. */
export class Outbox {
  readonly log: SendLog;
  #transport: Transport | undefined;
  /** Never written twice: the transport may still hold what is in it. */
  #scratch = new Uint8Array();
  #written = 0;
  #filled = 0;

  constructor(pool: BufferPool) {
    this.log = new SendLog(pool);
  }

  attach(transport: Transport): void {
    this.#transport = transport;
    this.#written = this.#filled;
  }

  detach(): void {
    this.#transport = undefined;
  }

  /** Room for a body of `length` bytes after its header, at the offset that is returned. */
  unsequenced(type: number, length: number): { readonly into: Uint8Array; readonly at: number } {
    const bytes = length + 8;
    if (this.#filled + bytes > this.#scratch.length) {
      this.#hand();
      const wanted = Math.min(mostScratchBytes, 2 * this.#scratch.length);
      this.#scratch = new Uint8Array(Math.max(leastScratchBytes, wanted, bytes));
      this.#written = this.#filled = 0;
    }
    const at = writeHeader(this.#scratch, this.#filled, { type, flags: 0, length, stream: 0 });
    this.#filled += bytes;
    return { into: this.#scratch, at };
  }

  /** Hands over what there is; the log only up to `most` bytes in the transport. Whether all went. */
  flush(most: number): boolean {
    const transport = this.#transport;
    if (transport === undefined) return false;
    this.#hand();
    while (this.log.waiting > 0) {
      if (transport.bufferedBytes >= most) return false;
      const bytes = this.log.next();
      if (bytes === undefined) break;
      transport.write(bytes);
    }
    return true;
  }

  #hand(): void {
    if (this.#filled === this.#written) return;
    this.#transport?.write(this.#scratch.subarray(this.#written, this.#filled));
    this.#written = this.#filled;
  }
}
