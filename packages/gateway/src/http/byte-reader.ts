import { concatBytes, TaplineError } from '@tapline/base';

/** Reads lines and counted parts of bytes that come in any pieces. */
export class ByteReader {
  readonly #source: { read(): Promise<Uint8Array | undefined> };
  #held: Uint8Array = new Uint8Array();

  constructor(source: { read(): Promise<Uint8Array | undefined> }) {
    this.#source = source;
  }

  /** What comes next, up to `most` bytes; undefined at the end. */
  async some(most: number): Promise<Uint8Array | undefined> {
    if (this.#held.length === 0 && !(await this.#more())) return undefined;
    const part = this.#held.subarray(0, most);
    this.#held = this.#held.subarray(part.length);
    return part;
  }

  /** The text before `mark`, which is passed over. Throws `unexpected_answer` beyond `maxBytes`. */
  async until(mark: string, maxBytes: number): Promise<string> {
    const wanted = new TextEncoder().encode(mark);
    for (let from = 0; ;) {
      const at = indexOf(this.#held, wanted, from);
      if (at !== -1) {
        const text = new TextDecoder('latin1').decode(this.#held.subarray(0, at));
        this.#held = this.#held.subarray(at + wanted.length);
        return text;
      }
      if (this.#held.length > maxBytes) {
        throw new TaplineError(
          'unexpected_answer',
          `a head or line of an answer exceeds ${maxBytes} bytes`,
        );
      }
      from = Math.max(0, this.#held.length - wanted.length);
      if (!(await this.#more())) {
        throw new TaplineError('unavailable', 'the answer ended within its head');
      }
    }
  }

  async #more(): Promise<boolean> {
    const part = await this.#source.read();
    if (part === undefined) return false;
    this.#held = this.#held.length === 0 ? part : concatBytes([this.#held, part]);
    return true;
  }
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  for (let at = from; at + wanted.length <= bytes.length; at += 1) {
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}
