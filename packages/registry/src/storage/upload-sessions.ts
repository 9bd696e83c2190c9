import { randomUUID } from 'node:crypto';
import { type Clock, TaplineError } from '@tapline/base';
import type { Digest } from '@tapline/oci';
import type { BlobStore, BlobWriter, StoredBlob } from './blob-store.ts';

/** Part of an upload as its client announced it; `end` is exclusive. */
export interface UploadChunk {
  readonly start: number;
  readonly end: number;
}

interface Session {
  readonly id: string;
  readonly repository: string;
  readonly writer: BlobWriter;
  usedAt: number;
  busy: boolean;
}

export interface UploadSessionsInit {
  readonly blobs: BlobStore;
  readonly clock: Clock;
  /** Uploads under way at once. */
  readonly limit: number;
  /** An upload that got nothing for this long is dropped. */
  readonly idleMs: number;
}

/**
 * Uploads under way. They do not outlive the process: a client that meets `blob_upload_unknown`
 * starts again (OCI distribution 1.1, "Pushing a blob in chunks").
 */
export class UploadSessions implements AsyncDisposable {
  readonly #init: UploadSessionsInit;
  readonly #sessions = new Map<string, Session>();

  constructor(init: UploadSessionsInit) {
    this.#init = init;
  }

  /** Opens an upload to `repository` and answers its id. Throws `too_many_uploads`. */
  async open(repository: string): Promise<string> {
    await this.#dropIdle();
    if (this.#sessions.size >= this.#init.limit) {
      throw new TaplineError('too_many_uploads', `${this.#init.limit} uploads are under way`);
    }
    const id = randomUUID();
    const writer = await this.#init.blobs.openWriter();
    const usedAt = this.#init.clock.monotonic();
    this.#sessions.set(id, { id, repository, writer, usedAt, busy: false });
    return id;
  }

  /** Bytes taken so far. */
  size(repository: string, id: string): number {
    return this.#find(repository, id).writer.size;
  }

  /**
   * Appends `body` and answers the bytes taken in all. A chunk that does not start where the upload
   * stands throws `blob_upload_range` and changes nothing. What came before a broken connection
   * stays: the client asks for the size and goes on from there.
   */
  async append(
    repository: string,
    id: string,
    part: { readonly body: AsyncIterable<Uint8Array>; readonly chunk?: UploadChunk | undefined },
  ): Promise<number> {
    const session = this.#find(repository, id);
    return this.#exclusively(session, () => append(session.writer, part));
  }

  /** Appends the rest, verifies and stores the blob. The upload is over, whatever comes of it. */
  async finish(
    repository: string,
    id: string,
    part: {
      readonly body: AsyncIterable<Uint8Array>;
      readonly chunk?: UploadChunk | undefined;
      readonly digest: Digest;
    },
  ): Promise<StoredBlob> {
    const session = this.#find(repository, id);
    return this.#exclusively(session, async () => {
      await append(session.writer, part);
      this.#sessions.delete(id);
      return await session.writer.commit(part.digest);
    });
  }

  async cancel(repository: string, id: string): Promise<void> {
    const session = this.#find(repository, id);
    await this.#exclusively(session, async () => {
      this.#sessions.delete(id);
      await session.writer.abort();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    await Promise.all(sessions.map(({ writer }) => writer.abort()));
  }

  #find(repository: string, id: string): Session {
    const session = this.#sessions.get(id);
    if (session === undefined || session.repository !== repository) {
      throw new TaplineError('blob_upload_unknown', `upload ${id} to ${repository} does not exist`);
    }
    return session;
  }

  async #exclusively<T>(session: Session, work: () => Promise<T>): Promise<T> {
    if (session.busy) {
      throw new TaplineError('blob_upload_busy', `upload ${session.id} is taking another request`);
    }
    session.busy = true;
    try {
      return await work();
    } finally {
      session.busy = false;
      session.usedAt = this.#init.clock.monotonic();
    }
  }

  async #dropIdle(): Promise<void> {
    const before = this.#init.clock.monotonic() - this.#init.idleMs;
    for (const session of this.#sessions.values()) {
      if (session.busy || session.usedAt >= before) continue;
      this.#sessions.delete(session.id);
      await session.writer.abort();
    }
  }
}

async function append(
  writer: BlobWriter,
  part: { readonly body: AsyncIterable<Uint8Array>; readonly chunk?: UploadChunk | undefined },
): Promise<number> {
  if (part.chunk !== undefined && part.chunk.start !== writer.size) {
    throw new TaplineError(
      'blob_upload_range',
      `chunk starts at ${part.chunk.start}, the upload stands at ${writer.size}`,
      { details: { size: writer.size } },
    );
  }
  for await (const bytes of part.body) await writer.write(bytes);
  return writer.size;
}
