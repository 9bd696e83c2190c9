import { errno, LinuxError } from '../errno.ts';
import type { StorageBudget } from './storage-budget.ts';

/** What a file may have; more is EFBIG. Numbers of bytes stay exact, and arrays possible. */
const largestFile = 2 ** 31 - 4096;

/** The bytes of a file. Those of a layer are only looked at until they are written to. */
export class FileContent {
  #size: number;
  #bytes: Uint8Array | undefined;
  #load: (() => Uint8Array) | undefined;
  /** Whether `#bytes` is our own, to be changed. */
  #own: boolean;

  readonly #storage: StorageBudget;

  private constructor(storage: StorageBudget, size: number, load: (() => Uint8Array) | undefined) {
    this.#storage = storage;
    this.#size = size;
    this.#load = load;
    this.#own = load === undefined;
    this.#bytes = load === undefined ? new Uint8Array(0) : undefined;
  }

  static empty(storage: StorageBudget): FileContent {
    return new FileContent(storage, 0, undefined);
  }

  /** `load` is asked once, when somebody reads; its bytes are never changed. */
  static ofLayer(
    storage: StorageBudget,
    layer: { readonly size: number; readonly load: () => Uint8Array },
  ): FileContent {
    return new FileContent(storage, layer.size, layer.load);
  }

  get size(): number {
    return this.#size;
  }

  /** A view of at most `most` bytes from `at` on. */
  read(at: number, most: number): Uint8Array {
    return this.#loaded().subarray(Math.min(at, this.#size), Math.min(at + most, this.#size));
  }

  /** What is between the end and `at` becomes zero. */
  write(at: number, bytes: Uint8Array): void {
    const end = at + bytes.length;
    if (end > largestFile) throw new LinuxError(errno.fileTooBig);
    this.#reserve(end).set(bytes, at);
    this.#size = Math.max(this.#size, end);
  }

  resize(size: number): void {
    if (size > largestFile) throw new LinuxError(errno.fileTooBig);
    const bytes = this.#reserve(size);
    if (size < this.#size) bytes.fill(0, size, this.#size);
    this.#size = size;
  }

  /** Gives back what it took of the budget; it is empty afterwards. */
  free(): void {
    if (this.#own) this.#storage.give(this.#bytes?.length ?? 0);
    this.#bytes = new Uint8Array(0);
    this.#load = undefined;
    this.#own = true;
    this.#size = 0;
  }

  #loaded(): Uint8Array {
    if (this.#bytes === undefined) {
      this.#bytes = this.#load?.() ?? new Uint8Array(0);
      this.#load = undefined;
      // A file that changed under us is as long as it is now.
      this.#size = Math.min(this.#size, this.#bytes.length);
    }
    return this.#bytes;
  }

  /** Our own bytes, of at least this size. Beyond the file they are zero. */
  #reserve(size: number): Uint8Array {
    const bytes = this.#loaded();
    if (this.#own && bytes.length >= size) return bytes;
    const length = Math.max(size, this.#own ? bytes.length * 2 : this.#size);
    this.#storage.take(length - (this.#own ? bytes.length : 0));
    const grown = new Uint8Array(length);
    grown.set(bytes.subarray(0, this.#size));
    this.#bytes = grown;
    this.#own = true;
    return grown;
  }
}
