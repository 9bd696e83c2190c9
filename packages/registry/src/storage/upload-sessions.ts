import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { mkdir, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { type Clock, isSystemError, TaplineError } from '@tapline/base';
import type { Digest } from '@tapline/oci';
import { appendBody } from './append-body.ts';
import type { StoredBlob } from './blob-store.ts';
import { algorithmOf, type DigestAlgorithm } from './digest-algorithm.ts';
import { digestMismatch } from './file-blob-writer.ts';
import type { FileBlobStore } from './file-blob-store.ts';
import { HashedFile } from './hashed-file.ts';
import { storageFailure } from './storage-failure.ts';

/** Part of an upload as its client announced it; `end` is exclusive. */
export interface UploadChunk {
  readonly start: number;
  readonly end: number;
}

/** The body of a request to an upload. */
export interface UploadPart {
  readonly body: AsyncIterable<Uint8Array>;
  readonly chunk?: UploadChunk | undefined;
}

interface Session {
  readonly id: string;
  readonly repository: string;
  readonly path: string;
  /** Undefined where an earlier process took what is there, until somebody goes on. */
  file: HashedFile | undefined;
  /** Where its content is in the store already, and only the catalog did not take it. */
  stored: StoredBlob | undefined;
  usedAt: number;
  busy: boolean;
}

export interface UploadSessionsInit {
  readonly blobs: FileBlobStore;
  readonly clock: Clock;
  /** Uploads under way at once. */
  readonly limit: number;
  /** An upload that got nothing for this long is dropped. */
  readonly idleMs: number;
  /** Called with how much is about to be written to which repository; may refuse. */
  readonly assertRoom: (repository: string, bytes: number, more: number) => Promise<void>;
  /** Makes a blob part of a repository, durably. */
  readonly link: (repository: string, blob: StoredBlob) => Promise<void>;
}

/**
 * Uploads under way, each a file at `uploads/<repository>/_<id>`: an upload outlives the process,
 * and goes on after a crash where its client finds it.
 */
export class UploadSessions implements AsyncDisposable {
  readonly #init: UploadSessionsInit;
  readonly #directory: string;
  readonly #sessions = new Map<string, Session>();

  private constructor(init: UploadSessionsInit) {
    this.#init = init;
    this.#directory = join(init.blobs.directory, 'uploads');
  }

  static async open(init: UploadSessionsInit): Promise<UploadSessions> {
    const uploads = new UploadSessions(init);
    await mkdir(uploads.#directory, { recursive: true });
    const entries = await readdir(uploads.#directory, { recursive: true, withFileTypes: true });
    const usedAt = init.clock.monotonic();
    for (const entry of entries) {
      if (!entry.isFile() || !entry.name.startsWith('_')) continue;
      const id = entry.name.slice(1);
      const path = join(entry.parentPath, entry.name);
      const repository = relative(uploads.#directory, entry.parentPath);
      uploads.#sessions.set(id, {
        id,
        repository,
        path,
        usedAt,
        file: undefined,
        stored: undefined,
        busy: false,
      });
    }
    return uploads;
  }

  /** Opens an upload to `repository` and answers its id. Throws `too_many_uploads`. */
  async create(repository: string, algorithm?: DigestAlgorithm): Promise<string> {
    const { assertRoom, clock, limit } = this.#init;
    if (this.#sessions.size >= limit) await this.dropIdle();
    if (this.#sessions.size >= limit) {
      throw new TaplineError('too_many_uploads', `${limit} uploads are under way`);
    }
    await assertRoom(repository, 0, 0);
    const id = randomUUID();
    // A name of a repository has no part that begins so.
    const path = join(this.#directory, repository, `_${id}`);
    const file = await createIn(path, algorithm);
    this.#sessions.set(id, {
      id,
      repository,
      path,
      file,
      stored: undefined,
      busy: false,
      usedAt: clock.monotonic(),
    });
    return id;
  }

  /** Bytes taken so far. */
  async size(repository: string, id: string): Promise<number> {
    const { file, path, stored } = this.#find(repository, id);
    return stored?.size ?? file?.size ?? (await stat(path)).size;
  }

  /**
   * Appends `body` and answers the bytes taken in all. A chunk that does not start where the upload
   * stands throws `blob_upload_range` and changes nothing. What came before a broken connection or
   * a full disk stays: the client asks for the size and goes on from there.
   */
  async append(repository: string, id: string, part: UploadPart): Promise<number> {
    const session = this.#find(repository, id);
    return await this.#exclusively(session, () => this.#append(session, part));
  }

  /**
   * Appends the rest, verifies and stores the blob. A wrong digest ends the upload; where the disk or
   * a quota is full it stays, and can be finished again.
   */
  async finish(
    repository: string,
    id: string,
    part: UploadPart & { readonly digest: Digest },
  ): Promise<StoredBlob> {
    const session = this.#find(repository, id);
    return await this.#exclusively(session, async () => {
      await this.#append(session, part);
      const stored = await this.#store(session, part.digest);
      this.#sessions.delete(id);
      return stored;
    });
  }

  async cancel(repository: string, id: string): Promise<void> {
    const session = this.#find(repository, id);
    await this.#exclusively(session, () => this.#drop(session));
  }

  /** Whether the repository is taking an upload: what it has may be about to be referred to. */
  isReceiving(repository: string): boolean {
    const before = this.#init.clock.monotonic() - this.#init.idleMs;
    for (const session of this.#sessions.values()) {
      if (session.repository === repository && (session.busy || session.usedAt >= before)) {
        return true;
      }
    }
    return false;
  }

  /** Uploads that nobody continued. */
  idle(): number {
    return this.#idle().length;
  }

  async dropIdle(): Promise<number> {
    const idle = this.#idle();
    for (const session of idle) {
      await this.#exclusively(session, () => this.#drop(session));
      await removeEmptyFolders(dirname(session.path), this.#directory);
    }
    return idle.length;
  }

  async usage(): Promise<{ readonly count: number; readonly bytes: number }> {
    let bytes = 0;
    for (const { file, path } of this.#sessions.values()) {
      bytes += file?.size ?? (await stat(path).catch(() => ({ size: 0 }))).size;
    }
    return { count: this.#sessions.size, bytes };
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** Closes files; what was taken stays for the next process. */
  async [Symbol.asyncDispose](): Promise<void> {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    await Promise.all(
      sessions.map(async ({ file, stored }) => {
        if (stored === undefined) await file?.close();
      }),
    );
  }

  #find(repository: string, id: string): Session {
    const session = this.#sessions.get(id);
    if (session === undefined || session.repository !== repository) {
      throw uploadUnknown({ id, repository });
    }
    return session;
  }

  #idle(): readonly Session[] {
    const before = this.#init.clock.monotonic() - this.#init.idleMs;
    return [...this.#sessions.values()].filter(({ busy, usedAt }) => !busy && usedAt < before);
  }

  async #append(session: Session, { body, chunk }: UploadPart): Promise<number> {
    const { assertRoom } = this.#init;
    const { repository, stored } = session;
    // Content that is complete and has its digest takes nothing more.
    const file = stored === undefined ? (session.file ??= await reopen(session.path)) : undefined;
    const size = stored?.size ?? file?.size ?? 0;
    if (chunk !== undefined && chunk.start !== size) {
      throw new TaplineError(
        'blob_upload_range',
        `chunk starts at ${chunk.start}, the upload stands at ${size}`,
        { details: { size } },
      );
    }
    if (file === undefined) {
      for await (const bytes of body) if (bytes.length > 0) throw completeAlready(session);
      return size;
    }
    return await appendBody(file, body, (more) => assertRoom(repository, file.size, more));
  }

  async #store(session: Session, expected: Digest): Promise<StoredBlob> {
    const { blobs, link } = this.#init;
    const { repository, file, stored } = session;
    const digest = stored?.digest ?? (await file?.digest(algorithmOf(expected)));
    if (digest !== expected || digest === undefined) {
      const size = stored?.size ?? file?.size ?? 0;
      await this.#drop(session);
      throw digestMismatch({ expected, actual: digest ?? expected, size });
    }
    return await blobs.leases.holding(digest, async () => {
      if (stored === undefined && file !== undefined) {
        await file.sync();
        await blobs.place(file, digest);
        session.stored = { digest, size: file.size };
        blobs.leases.touch(digest);
      } else if ((await blobs.sizeOnDisk(digest)) === undefined) {
        this.#sessions.delete(session.id);
        throw uploadUnknown(session);
      }
      const blob = session.stored ?? { digest, size: 0 };
      // A link without its file is like none, so both may become durable at the same time.
      await Promise.all([blobs.syncPlace(digest), link(repository, blob)]);
      return blob;
    });
  }

  async #drop(session: Session): Promise<void> {
    this.#sessions.delete(session.id);
    if (session.stored !== undefined) return;
    if (session.file === undefined) await rm(session.path, { force: true });
    else await session.file.remove();
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
}

async function createIn(path: string, algorithm: DigestAlgorithm | undefined): Promise<HashedFile> {
  try {
    return await HashedFile.create(path, algorithm);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw storageFailure(error, 'an upload');
  }
  // Without a pause between the two, so that nobody removes the empty folder in between.
  mkdirSync(dirname(path), { recursive: true });
  try {
    return await HashedFile.create(path, algorithm);
  } catch (error) {
    throw storageFailure(error, 'an upload');
  }
}

async function reopen(path: string): Promise<HashedFile> {
  return await HashedFile.reopen(path);
}

function uploadUnknown({ id, repository }: Pick<Session, 'id' | 'repository'>): TaplineError {
  return new TaplineError('blob_upload_unknown', `upload ${id} to ${repository} does not exist`);
}

function completeAlready({ id }: Session): TaplineError {
  return new TaplineError(
    'blob_upload_invalid',
    `upload ${id} is complete and only to be finished`,
  );
}

async function removeEmptyFolders(folder: string, above: string): Promise<void> {
  for (let at = folder; at.length > above.length; at = dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      // Something is in it, or came back into it.
      return;
    }
  }
}
