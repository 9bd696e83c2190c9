/** Buffers of one size that are used again. Shared by the sessions of a process. */
export class BufferPool {
  readonly bufferBytes: number;
  readonly #most: number;
  readonly #free: Uint8Array[] = [];

  constructor(options: { readonly bufferBytes?: number; readonly most?: number } = {}) {
    this.bufferBytes = options.bufferBytes ?? 65_536;
    this.#most = options.most ?? 64;
  }

  take(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(this.bufferBytes);
  }

  give(buffer: Uint8Array): void {
    if (this.#free.length < this.#most) this.#free.push(buffer);
  }
}
