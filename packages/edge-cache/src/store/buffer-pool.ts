/** Buffers that are used again: a fresh one of this size costs more than what it is filled with. */
export class BufferPool {
  readonly #free: Buffer[] = [];
  readonly #bytes: number;
  readonly #limit: number;
  #lent = 0;

  /** At most `limit` buffers of `bytes` each are lent at once. */
  constructor(init: { readonly bytes: number; readonly limit: number }) {
    this.#bytes = init.bytes;
    this.#limit = init.limit;
  }

  /** Undefined where all are lent. The last one given back comes first: it is still in the processor's cache. */
  take(): Buffer | undefined {
    if (this.#lent === this.#limit) return undefined;
    this.#lent += 1;
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bytes);
  }

  give(buffer: Buffer): void {
    this.#lent -= 1;
    this.#free.push(buffer);
  }
}
