const noBytes = new Uint8Array();

/** What is written on a stream and not yet in frames. */
export class SendQueue {
  #pieces: Uint8Array[] = [];
  #head = 0;
  /** What of the first piece is in frames already. */
  #offset = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  push(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }

  /** Moves `length` bytes, which there have to be, to `offset` of `into`. */
  take(into: Uint8Array, offset: number, length: number): void {
    let done = 0;
    while (done < length) {
      const piece = this.#pieces[this.#head];
      if (piece === undefined) return;
      const part = Math.min(length - done, piece.length - this.#offset);
      if (part === piece.length) into.set(piece, offset + done);
      else into.set(piece.subarray(this.#offset, this.#offset + part), offset + done);
      done += part;
      this.#offset += part;
      if (this.#offset < piece.length) break;
      this.#next();
    }
    this.#bytes -= done;
  }

  clear(): void {
    this.#pieces = [];
    this.#head = this.#offset = this.#bytes = 0;
  }

  #next(): void {
    this.#offset = 0;
    this.#pieces[this.#head] = noBytes;
    this.#head += 1;
    if (this.#head === this.#pieces.length) {
      this.#pieces.length = 0;
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#pieces.length) {
      this.#pieces = this.#pieces.slice(this.#head);
      this.#head = 0;
    }
  }
}
