import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { type Digest, parseDigest } from '@tapline/oci';
import type { DigestAlgorithm } from './digest-algorithm.ts';
import { storageFailure } from './storage-failure.ts';

const readChunkBytes = 1024 * 1024;

/** A file that grows, with the digest of what it holds. */
export class HashedFile {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #algorithm: DigestAlgorithm;
  readonly #hash: Hash;
  #size: number;

  private constructor(
    path: string,
    file: FileHandle,
    state: { readonly algorithm: DigestAlgorithm; readonly hash: Hash; readonly size: number },
  ) {
    this.path = path;
    this.#file = file;
    this.#algorithm = state.algorithm;
    this.#hash = state.hash;
    this.#size = state.size;
  }

  static async create(path: string, algorithm: DigestAlgorithm = 'sha256'): Promise<HashedFile> {
    const hash = createHash(algorithm);
    return new HashedFile(path, await open(path, 'wx+'), { algorithm, hash, size: 0 });
  }

  /** Goes on where an earlier process stopped; reads what is there for its digest. */
  static async reopen(path: string): Promise<HashedFile> {
    const file = await open(path, 'r+');
    try {
      const hash = createHash('sha256');
      const size = await hashFile(path, hash);
      return new HashedFile(path, file, { algorithm: 'sha256', hash, size });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get size(): number {
    return this.#size;
  }

  /** Appends. Where the disk is full the file keeps, and knows, what still went in. */
  async write(chunks: readonly Uint8Array[]): Promise<void> {
    let rest = chunks.filter((chunk) => chunk.length > 0);
    while (rest.length > 0) {
      let written: number;
      try {
        ({ bytesWritten: written } = await this.#file.writev(rest, this.#size));
      } catch (error) {
        throw storageFailure(error, 'an upload');
      }
      const left: Uint8Array[] = [];
      for (const chunk of rest) {
        const taken = Math.min(written, chunk.length);
        if (taken > 0) this.#hash.update(taken === chunk.length ? chunk : chunk.subarray(0, taken));
        if (taken < chunk.length) left.push(chunk.subarray(taken));
        written -= taken;
        this.#size += taken;
      }
      rest = left;
    }
  }

  async digest(algorithm: DigestAlgorithm = this.#algorithm): Promise<Digest> {
    if (algorithm === this.#algorithm) {
      return parseDigest(`${algorithm}:${this.#hash.copy().digest('hex')}`);
    }
    // Nobody said beforehand that it would be this one.
    const hash = createHash(algorithm);
    await hashFile(this.path, hash);
    return parseDigest(`${algorithm}:${hash.digest('hex')}`);
  }

  /** What was written survives a power failure from here on. */
  async sync(): Promise<void> {
    try {
      await this.#file.datasync();
    } catch (error) {
      throw storageFailure(error, 'an upload');
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async remove(): Promise<void> {
    await this.#file.close();
    await rm(this.path, { force: true });
  }
}

/** Feeds all of a file to `hash` and answers its size. */
export async function hashFile(path: string, hash: Hash): Promise<number> {
  let size = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: readChunkBytes })) {
    hash.update(chunk as Uint8Array);
    size += (chunk as Uint8Array).length;
  }
  return size;
}
