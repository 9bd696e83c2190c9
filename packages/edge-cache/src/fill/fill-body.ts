import { TaplineError } from '@tapline/base';

/**
 * A body while it comes in, read by any number of readers at their own pace. A reader asks for bytes
 * from an offset and waits where there are none yet.
 */
export class FillBody {
  #bytes: Buffer;
  #length = 0;
  #state: 'filling' | 'complete' | 'failed' = 'filling';
  #error: unknown;
  #waiting: (() => void)[] = [];
  readonly #limit: number;
  /** Its final size, where the origin said so. */
  readonly expected: number | undefined;

  constructor(init: { readonly expected: number | undefined; readonly limit: number }) {
    this.expected = init.expected;
    this.#limit = init.limit;
    this.#bytes = Buffer.allocUnsafeSlow(init.expected ?? initialBytes);
  }

  get length(): number {
    return this.#length;
  }

  get isComplete(): boolean {
    return this.#state === 'complete';
  }

  /** Throws `object_too_large` beyond the limit. */
  append(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#limit) {
      throw new TaplineError(
        'object_too_large',
        `the origin sent more than ${this.#limit} bytes for one object`,
        { hint: 'raise maxObjectBytes of the channel if that is meant to be' },
      );
    }
    if (length > this.#bytes.length) {
      // Readers keep the slices they took: the old buffer stays what it is.
      const larger = Buffer.allocUnsafeSlow(
        Math.min(Math.max(length, 2 * this.#bytes.length), this.#limit),
      );
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = length;
    this.#wake();
  }

  /** Throws `origin_broken` where the length is not the expected one. */
  complete(): Buffer {
    if (this.expected !== undefined && this.#length !== this.expected) {
      throw new TaplineError(
        'origin_broken',
        `the origin sent ${this.#length} bytes and had said ${this.expected}`,
      );
    }
    // What was allocated ahead is given back: the body stays for long.
    const whole = this.#bytes.subarray(0, this.#length);
    const body = this.#length * 1.25 < this.#bytes.length ? copyOf(whole) : whole;
    this.#bytes = body;
    this.#state = 'complete';
    this.#wake();
    return body;
  }

  fail(error: unknown): void {
    if (this.#state !== 'filling') return;
    this.#state = 'failed';
    this.#error = error;
    this.#wake();
  }

  /** What there is from `at` on, at most `atMost` bytes; empty at the end. Throws why it failed. */
  async read(at: number, atMost: number): Promise<Buffer> {
    for (;;) {
      if (at < this.#length) {
        return this.#bytes.subarray(at, Math.min(this.#length, at + atMost));
      }
      if (this.#state === 'complete') return this.#bytes.subarray(this.#length);
      if (this.#state === 'failed') throw this.#error;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Resolves with the size when all is there. Throws why it failed. */
  async whole(): Promise<number> {
    while (this.#state === 'filling') {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#state === 'failed') throw this.#error;
    return this.#length;
  }

  #wake(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

const initialBytes = 64 * 1024;

function copyOf(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
