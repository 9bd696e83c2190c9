import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Log, TaplineError } from '@tapline/base';
import type { Digest } from '@tapline/oci';
import type { RegistryClient } from '../client/registry-client.ts';
import { BlobSpool } from './blob-spool.ts';
import type { MirrorUpstream } from './mirror-upstream.ts';

export interface BlobFetchesInit {
  /** Folder for what is on its way; swept at the start. */
  readonly directory: string;
  /** The registry that keeps what was fetched. */
  readonly local: Pick<RegistryClient, 'pushBlob'>;
  readonly log: Log;
  /** Blobs on their way at once. */
  readonly limit: number;
  readonly onFetched: (bytes: number) => void;
  /** The registry has a blob of this repository more. */
  readonly onStored: (repository: string) => void;
}

export interface BlobRequest {
  readonly upstream: MirrorUpstream;
  /** Its name at the upstream. */
  readonly name: string;
  /** Its name here. */
  readonly repository: string;
  readonly digest: Digest;
}

/** Blobs that come from upstreams right now, each once however many want it. */
export class BlobFetches implements AsyncDisposable {
  readonly #init: BlobFetchesInit;
  readonly #running = new Map<string, Promise<BlobSpool | undefined>>();
  readonly #work = new Set<Promise<void>>();
  readonly #stop = new AbortController();

  private constructor(init: BlobFetchesInit) {
    this.#init = init;
  }

  static async open(init: BlobFetchesInit): Promise<BlobFetches> {
    await rm(init.directory, { recursive: true, force: true });
    await mkdir(init.directory, { recursive: true, mode: 0o700 });
    return new BlobFetches(init);
  }

  /** What to read the blob from while it comes; undefined where the upstream lacks it. */
  fetch(request: BlobRequest): Promise<BlobSpool | undefined> {
    const key = `${request.repository}@${request.digest}`;
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    if (this.#running.size >= this.#init.limit) {
      throw new TaplineError('too_many_uploads', `${this.#init.limit} blobs are being fetched`);
    }
    const started = this.#start(request, () => this.#running.delete(key));
    this.#running.set(key, started);
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new TaplineError('stopped', 'the mirror is stopping'));
    await Promise.allSettled(this.#running.values());
    await Promise.allSettled(this.#work);
  }

  async #start(request: BlobRequest, done: () => void): Promise<BlobSpool | undefined> {
    const { upstream, name, digest } = request;
    const { signal } = this.#stop;
    try {
      const size = await upstream.client.blobSize(name, digest, { signal });
      if (size === undefined) {
        done();
        return undefined;
      }
      const spool = await BlobSpool.create(join(this.#init.directory, randomUUID()), size);
      const work = this.#carry(request, spool).finally(() => {
        done();
        this.#work.delete(work);
      });
      this.#work.add(work);
      return spool;
    } catch (error) {
      done();
      throw error;
    }
  }

  /** From the upstream into the spool, and from there into the registry as any reader. */
  async #carry(request: BlobRequest, spool: BlobSpool): Promise<void> {
    const { upstream, name, repository, digest } = request;
    const { local, log } = this.#init;
    const { signal } = this.#stop;
    const { size } = spool;
    const stored = local
      .pushBlob(
        repository,
        { digest, size, open: () => spool.follow({ start: 0, end: size }) },
        { signal },
      )
      .then(
        () => this.#init.onStored(repository),
        (error: unknown) =>
          log.warn('mirror: a blob could not be kept', { repository, digest, error }),
      );
    try {
      for await (const chunk of upstream.client.blob(name, { digest, size }, { signal })) {
        await spool.write(chunk);
      }
      spool.verified();
      this.#init.onFetched(size);
    } catch (error) {
      log.warn('mirror: a blob could not be fetched', { repository, digest, error });
      spool.fail(error);
    }
    await stored;
    await spool[Symbol.asyncDispose]();
  }
}
