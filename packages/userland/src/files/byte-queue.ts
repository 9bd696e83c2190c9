/** Bytes in the order they came. */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The bytes are kept as they are: hand over a copy. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#size += bytes.length;
  }

  take(most: number): Uint8Array {
    const [first] = this.#chunks;
    if (first === undefined || most === 0) return new Uint8Array(0);
    const length = Math.min(most, this.#size);
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const chunk = this.#chunks[0] ?? new Uint8Array(0);
      const part = chunk.subarray(0, length - at);
      bytes.set(part, at);
      at += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    this.#size -= length;
    return bytes;
  }

  /** The same without taking them. */
  peek(most: number): Uint8Array {
    const bytes = this.take(most);
    if (bytes.length > 0) {
      this.#chunks.unshift(bytes);
      this.#size += bytes.length;
    }
    return bytes;
  }

  clear(): void {
    this.#chunks = [];
    this.#size = 0;
  }
}
