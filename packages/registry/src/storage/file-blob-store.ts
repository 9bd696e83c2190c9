import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, opendir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError, TaplineError } from '@tapline/base';
import { type Digest, parseDigest } from '@tapline/oci';
import type { BlobRange, BlobStore, BlobWriter, StoredBlob } from './blob-store.ts';

const readChunkBytes = 256 * 1024;

/**
 * Blobs as files under `blobs/<algorithm>/<hex>`, the folder of an OCI image layout. One process
 * owns the folder: opening it sweeps what an earlier one left half-written. Blobs are written with
 * sha256; others are only found.
 */
export class FileBlobStore implements BlobStore {
  readonly directory: string;
  readonly #partial: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.#partial = join(directory, 'partial');
  }

  static async open(directory: string): Promise<FileBlobStore> {
    const store = new FileBlobStore(directory);
    await rm(store.#partial, { recursive: true, force: true });
    await mkdir(store.#partial, { recursive: true });
    await mkdir(join(directory, 'blobs', 'sha256'), { recursive: true });
    return store;
  }

  async has(digest: Digest): Promise<boolean> {
    return (await this.size(digest)) !== undefined;
  }

  async size(digest: Digest): Promise<number | undefined> {
    try {
      return (await stat(this.pathOf(digest))).size;
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  async *read(digest: Digest, range: BlobRange = {}): AsyncGenerator<Uint8Array, void> {
    const size = await this.size(digest);
    if (size === undefined) throw new TaplineError('blob_unknown', `blob ${digest} is not here`);
    const { start = 0, end = size } = range;
    if (!(start >= 0 && start <= end && end <= size)) {
      throw new TaplineError(
        'range_invalid',
        `bytes ${start} to ${end} exceed ${size} of ${digest}`,
      );
    }
    if (start === end) return;
    yield* createReadStream(this.pathOf(digest), {
      start,
      end: end - 1,
      highWaterMark: readChunkBytes,
    });
  }

  async openWriter(): Promise<BlobWriter> {
    const path = join(this.#partial, randomUUID());
    return new FileBlobWriter(this, path, await open(path, 'wx'));
  }

  pathOf(digest: Digest): string {
    const colon = digest.indexOf(':');
    return join(this.directory, 'blobs', digest.slice(0, colon), digest.slice(colon + 1));
  }

  async delete(digest: Digest): Promise<boolean> {
    try {
      await rm(this.pathOf(digest));
      return true;
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return false;
      throw error;
    }
  }

  async *list(): AsyncGenerator<StoredBlob, void> {
    for (const algorithm of await readdir(join(this.directory, 'blobs'))) {
      for await (const file of await opendir(join(this.directory, 'blobs', algorithm))) {
        const digest = parseDigest(`${algorithm}:${file.name}`);
        const size = await this.size(digest);
        if (size !== undefined) yield { digest, size };
      }
    }
  }
}

class FileBlobWriter implements BlobWriter {
  readonly #store: FileBlobStore;
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #hash = createHash('sha256');
  #size = 0;
  #open = true;

  constructor(store: FileBlobStore, path: string, file: FileHandle) {
    this.#store = store;
    this.#path = path;
    this.#file = file;
  }

  get size(): number {
    return this.#size;
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let offset = 0; offset < chunk.length;) {
      offset += (await this.#file.write(chunk, offset)).bytesWritten;
    }
    this.#hash.update(chunk);
    this.#size += chunk.length;
  }

  async commit(expected?: Digest): Promise<StoredBlob> {
    const digest = parseDigest(`sha256:${this.#hash.digest('hex')}`);
    if (expected !== undefined && expected !== digest) {
      await this.abort();
      throw new TaplineError('digest_mismatch', `content has ${digest}, not ${expected}`, {
        details: { expected, actual: digest, size: this.#size },
      });
    }
    try {
      await this.#file.sync();
      await this.#file.close();
      const target = this.#store.pathOf(digest);
      await rename(this.#path, target);
      this.#open = false;
      await syncDirectory(join(target, '..'));
    } catch (error) {
      await this.abort();
      throw error;
    }
    return { digest, size: this.#size };
  }

  async abort(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#file.close();
    await rm(this.#path, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abort();
  }
}

/** Makes a rename in `directory` survive a power failure. */
async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory, 'r');
  await handle.sync();
}
