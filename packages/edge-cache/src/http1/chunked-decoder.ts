import { TaplineError } from '@tapline/base';

const maxLineBytes = 1024;
const maxTrailerBytes = 8192;

/** What of some bytes was body, and whether it ended; the rest is of the next request. */
export interface DecodedChunks {
  readonly body: readonly Uint8Array[];
  readonly done: boolean;
  readonly rest: Uint8Array;
}

type State = 'size' | 'data' | 'data-end' | 'trailer' | 'done';

/** Takes the chunked coding off a body (RFC 9112 §7.1), strictly; trailers are read and dropped. */
export class ChunkedDecoder {
  #state: State = 'size';
  #line = '';
  #left = 0;
  #trailerBytes = 0;

  /** Throws `bad_request` where the coding is broken. */
  feed(bytes: Uint8Array): DecodedChunks {
    const body: Uint8Array[] = [];
    let at = 0;
    while (at < bytes.length && this.#state !== 'done') {
      if (this.#state === 'data') {
        const length = Math.min(this.#left, bytes.length - at);
        body.push(bytes.subarray(at, at + length));
        at += length;
        this.#left -= length;
        if (this.#left === 0) this.#state = 'data-end';
        continue;
      }
      const character = String.fromCharCode(bytes[at] ?? 0);
      at += 1;
      this.#line += character;
      if (this.#line.length > maxLineBytes) throw broken(`a line of over ${maxLineBytes} bytes`);
      if (character === '\n') this.#endLine();
    }
    return { body, done: this.#state === 'done', rest: bytes.subarray(at) };
  }

  #endLine(): void {
    if (!this.#line.endsWith('\r\n')) throw broken('a line feed alone');
    const line = this.#line.slice(0, -2);
    this.#line = '';
    if (line.includes('\r')) throw broken('a carriage return alone');
    if (this.#state === 'size') {
      const match = /^([0-9A-Fa-f]{1,12})(?:[ \t]*;.*)?$/.exec(line);
      if (match === null) throw broken('a chunk without a size');
      this.#left = Number.parseInt(match[1] ?? '', 16);
      this.#state = this.#left === 0 ? 'trailer' : 'data';
    } else if (this.#state === 'data-end') {
      if (line !== '') throw broken('a chunk longer than its size');
      this.#state = 'size';
    } else {
      this.#trailerBytes += line.length;
      if (this.#trailerBytes > maxTrailerBytes) throw broken('too long trailers');
      if (line === '') this.#state = 'done';
    }
  }
}

function broken(what: string): TaplineError {
  return new TaplineError('bad_request', `the chunked body has ${what}`);
}
