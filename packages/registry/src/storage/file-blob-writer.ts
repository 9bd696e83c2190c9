import { TaplineError } from '@tapline/base';
import type { Digest } from '@tapline/oci';
import type { BlobWriter, StoredBlob } from './blob-store.ts';
import { algorithmOf } from './digest-algorithm.ts';
import type { FileBlobStore } from './file-blob-store.ts';
import type { HashedFile } from './hashed-file.ts';

/** Writes one blob of a {@link FileBlobStore} beside the others, and then moves it to its place. */
export class FileBlobWriter implements BlobWriter {
  readonly #store: FileBlobStore;
  readonly #file: HashedFile;
  #open = true;

  constructor(store: FileBlobStore, file: HashedFile) {
    this.#store = store;
    this.#file = file;
  }

  get size(): number {
    return this.#file.size;
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#file.write([chunk]);
  }

  async commit(expected?: Digest): Promise<StoredBlob> {
    const digest = await this.#file.digest(
      expected === undefined ? 'sha256' : algorithmOf(expected),
    );
    if (expected !== undefined && expected !== digest) {
      await this.abort();
      throw digestMismatch({ expected, actual: digest, size: this.size });
    }
    try {
      await this.#file.sync();
      const { leases } = this.#store;
      await leases.holding(digest, () => this.#store.adopt(this.#file, digest));
      this.#open = false;
      leases.touch(digest);
    } catch (error) {
      await this.abort();
      throw error;
    }
    return { digest, size: this.#file.size };
  }

  async abort(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#file.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abort();
  }
}

export function digestMismatch(found: {
  readonly expected: Digest;
  readonly actual: Digest;
  readonly size: number;
}): TaplineError {
  const { expected, actual } = found;
  return new TaplineError('digest_mismatch', `content has ${actual}, not ${expected}`, {
    details: found,
  });
}
