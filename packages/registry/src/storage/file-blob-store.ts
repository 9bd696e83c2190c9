import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, opendir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, isSystemError, systemClock, TaplineError } from '@tapline/base';
import { type Digest, parseDigest } from '@tapline/oci';
import { BlobLeases } from './blob-leases.ts';
import type { BlobRange, BlobStore, BlobWriter, StoredBlob } from './blob-store.ts';
import { DirectorySync } from './directory-sync.ts';
import { FileBlobWriter } from './file-blob-writer.ts';
import { HashedFile } from './hashed-file.ts';
import { storageFailure } from './storage-failure.ts';

const readChunkBytes = 256 * 1024;
const algorithms = ['sha256', 'sha512'] as const;

/**
 * Blobs as files under `blobs/<algorithm>/<hex>`, the folder of an OCI image layout. One process
 * owns the folder: opening it sweeps what an earlier one left half-written. Whatever is handed out
 * by `has`, `size`, `read` or a writer counts as in use for a while, so that garbage collection
 * leaves it to those who are about to refer to it.
 */
export class FileBlobStore implements BlobStore {
  readonly directory: string;
  readonly leases: BlobLeases;
  readonly #partial: string;
  readonly #directories = new DirectorySync();

  private constructor(directory: string, clock: Pick<Clock, 'monotonic'>) {
    this.directory = directory;
    this.leases = new BlobLeases(clock);
    this.#partial = join(directory, 'partial');
  }

  static async open(
    directory: string,
    options: { readonly clock?: Pick<Clock, 'monotonic'> } = {},
  ): Promise<FileBlobStore> {
    const store = new FileBlobStore(directory, options.clock ?? systemClock);
    await rm(store.#partial, { recursive: true, force: true });
    await mkdir(store.#partial, { recursive: true });
    for (const algorithm of algorithms) {
      await mkdir(join(directory, 'blobs', algorithm), { recursive: true });
    }
    return store;
  }

  async has(digest: Digest): Promise<boolean> {
    return (await this.size(digest)) !== undefined;
  }

  async size(digest: Digest): Promise<number | undefined> {
    this.leases.touch(digest);
    return await this.sizeOnDisk(digest);
  }

  /** Like `size`, for those who do not count on it any longer than they hold a lease. */
  async sizeOnDisk(digest: Digest): Promise<number | undefined> {
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
    try {
      const file = await HashedFile.create(join(this.#partial, randomUUID()));
      return new FileBlobWriter(this, file);
    } catch (error) {
      throw storageFailure(error, 'a blob');
    }
  }

  /**
   * Takes in a file of the same file system, synced and with the digest it is said to have: after
   * that it is a blob, and survives a power failure. The caller holds a lease.
   */
  async adopt(file: HashedFile, digest: Digest): Promise<void> {
    await this.place(file, digest);
    await this.syncPlace(digest);
  }

  /** The first half of `adopt`: the blob is visible, and the file closed. */
  async place(file: HashedFile, digest: Digest): Promise<void> {
    try {
      await rename(file.path, this.pathOf(digest));
    } catch (error) {
      throw storageFailure(error, 'a blob');
    }
    await file.close();
  }

  /** The second half: where the blob is survives a power failure. */
  async syncPlace(digest: Digest): Promise<void> {
    await this.#directories.sync(join(this.pathOf(digest), '..'));
  }

  pathOf(digest: Digest): string {
    const colon = digest.indexOf(':');
    return `${this.directory}/blobs/${digest.slice(0, colon)}/${digest.slice(colon + 1)}`;
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

  /** Takes a blob out of service and keeps its bytes under `damaged/`, for whoever looks into it. */
  async setAside(digest: Digest): Promise<void> {
    const folder = join(this.directory, 'damaged');
    await mkdir(folder, { recursive: true });
    await rename(this.pathOf(digest), join(folder, digest.replace(':', '-')));
    await this.syncPlace(digest);
  }

  async *list(): AsyncGenerator<StoredBlob, void> {
    for (const algorithm of await readdir(join(this.directory, 'blobs'))) {
      for await (const file of await opendir(join(this.directory, 'blobs', algorithm))) {
        const digest = parseDigest(`${algorithm}:${file.name}`);
        const size = await this.sizeOnDisk(digest);
        if (size !== undefined) yield { digest, size };
      }
    }
  }
}
