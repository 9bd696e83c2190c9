import type { Digest } from '@tapline/oci';

/** Part of a blob, in bytes; `end` is exclusive and defaults to the blob's size. */
export interface BlobRange {
  readonly start?: number;
  readonly end?: number;
}

/** What a finished write put into the store. */
export interface StoredBlob {
  readonly digest: Digest;
  readonly size: number;
}

/**
 * Receives one blob. Nothing is visible in the store before `commit` returned; disposing a writer
 * that was not committed aborts it.
 */
export interface BlobWriter extends AsyncDisposable {
  /** Bytes taken so far. */
  readonly size: number;
  write(chunk: Uint8Array): Promise<void>;
  /**
   * Makes the blob durable and visible. Throws `digest_mismatch` and drops the bytes where they are
   * not those of `expected`.
   */
  commit(expected?: Digest): Promise<StoredBlob>;
  abort(): Promise<void>;
}

/** Content by digest. Several writers of the same digest at once are fine: the bytes are equal. */
export interface BlobStore {
  has(digest: Digest): Promise<boolean>;
  /** Bytes of the blob, or undefined where the store lacks it. */
  size(digest: Digest): Promise<number | undefined>;
  /** Throws `blob_unknown`, and `range_invalid` for a range outside of the blob. */
  read(digest: Digest, range?: BlobRange): AsyncIterable<Uint8Array>;
  openWriter(): Promise<BlobWriter>;
  /** Where the blob is, or would be, as a file. */
  pathOf(digest: Digest): string;
  /** Whether there was something to delete. */
  delete(digest: Digest): Promise<boolean>;
  list(): AsyncIterable<StoredBlob>;
}
