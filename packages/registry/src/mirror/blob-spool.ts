import { type FileHandle, open, rm } from 'node:fs/promises';

const readBytes = 256 * 1024;

/**
 * A blob on its way: written once, read by any number who follow the writing, each at its own pace.
 * Its last byte is given out only when the whole was verified, so that who gets all of it got the
 * right one.
 */
export class BlobSpool implements AsyncDisposable {
  readonly size: number;
  readonly #path: string;
  readonly #file: FileHandle;
  #written = 0;
  #state: 'open' | 'verified' | { readonly error: unknown } = 'open';
  #changed = Promise.withResolvers<void>();
  #readers = 0;
  #disposed = false;

  private constructor(path: string, file: FileHandle, size: number) {
    this.#path = path;
    this.#file = file;
    this.size = size;
  }

  static async create(path: string, size: number): Promise<BlobSpool> {
    return new BlobSpool(path, await open(path, 'wx+', 0o600), size);
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let offset = 0; offset < chunk.length;) {
      const position = this.#written + offset;
      offset += (await this.#file.write(chunk, offset, chunk.length - offset, position))
        .bytesWritten;
    }
    this.#written += chunk.length;
    this.#notify();
  }

  /** All of it is here and has the digest that it should. */
  verified(): void {
    this.#state = 'verified';
    this.#notify();
  }

  /** Ends everybody's reading with the error. */
  fail(error: unknown): void {
    this.#state = { error };
    this.#notify();
  }

  /** The bytes from `start` to before `end`, as they come. */
  async *follow(range: {
    readonly start: number;
    readonly end: number;
  }): AsyncGenerator<Uint8Array, void> {
    this.#readers += 1;
    try {
      let at = range.start;
      while (at < range.end) {
        const changed = this.#changed.promise;
        if (typeof this.#state === 'object') throw this.#state.error;
        const there =
          this.#state === 'verified' ? this.size : Math.min(this.#written, this.size - 1);
        const length = Math.min(range.end, there) - at;
        if (length <= 0) {
          await changed;
          continue;
        }
        const buffer = Buffer.allocUnsafe(Math.min(length, readBytes));
        const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, at);
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      this.#readers -= 1;
      await this.#closeWhenUnused();
    }
  }

  /** Takes the file away; who reads goes on to the end. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await rm(this.#path, { force: true });
    await this.#closeWhenUnused();
  }

  async #closeWhenUnused(): Promise<void> {
    if (this.#disposed && this.#readers === 0) await this.#file.close();
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
