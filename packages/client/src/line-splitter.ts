import { concatBytes, TaplineError } from '@tapline/base';

const newline = 0x0a;

/** Cuts a stream of bytes into lines, which end with a newline; longer ones than the limit are refused. */
export class LineSplitter {
  readonly #maxBytes: number;
  #pending: Uint8Array[] = [];
  readonly #decoder = new TextDecoder();
  #pendingBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that this chunk completes. */
  push(chunk: Uint8Array): readonly string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      this.#keep(chunk.subarray(start, end));
      const [only = new Uint8Array(), ...others] = this.#pending;
      lines.push(this.#decoder.decode(others.length === 0 ? only : concatBytes(this.#pending)));
      this.#pending = [];
      this.#pendingBytes = 0;
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    return lines;
  }

  #keep(part: Uint8Array): void {
    this.#pendingBytes += part.length;
    if (this.#pendingBytes > this.#maxBytes) {
      throw new TaplineError(
        'watch_event_too_large',
        `a watch event has more than ${this.#maxBytes} bytes`,
      );
    }
    this.#pending.push(part);
  }
}
