import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type ErrorData, fromErrorData, TaplineError } from '@tapline/base';
import type { CatalogReply, CatalogRequest } from './catalog-protocol.ts';
import type { CatalogWrite } from './catalog-write.ts';
import type { Quota } from './quota.ts';

/** One commit holds the write lock no longer than for these. */
const maxBatch = 256;

interface Waiting {
  readonly write: CatalogWrite;
  readonly resolve: (changes: number) => void;
  readonly reject: (error: unknown) => void;
}

/** Writes to a catalog in a thread of its own; those that wait for a commit share the next one. */
export class WriteThread implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #replies: {
    readonly resolve: (reply: CatalogReply) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];
  #waiting: Waiting[] = [];
  #draining: Promise<void> | undefined;
  #ended: TaplineError | undefined;

  private constructor() {
    // Beside this file, which is a .js file once it is bundled.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    this.#worker = new Worker(new URL(`./catalog-thread.${extension}`, import.meta.url), {
      // Flags of the process need not hold for a thread: `--input-type` would stop it.
      execArgv: [],
    });
    this.#worker.on('message', (reply: CatalogReply) => this.#replies.shift()?.resolve(reply));
    this.#worker.on('error', (cause) => this.#end(cause));
    this.#worker.on('exit', (code) => this.#end(new Error(`exit code ${code}`)));
  }

  static async open(init: {
    readonly directory: string;
    readonly quotas: readonly Quota[];
  }): Promise<WriteThread> {
    const thread = new WriteThread();
    const reply = await thread.#ask({ kind: 'open', ...init });
    if (reply.kind === 'failed') {
      await thread[Symbol.asyncDispose]();
      throw fromErrorData(reply.error);
    }
    return thread;
  }

  /** Resolves, with how much changed, when the write would survive a power failure. */
  write(write: CatalogWrite): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ write, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#draining;
    if (this.#ended !== undefined) return;
    const exited = once(this.#worker, 'exit');
    await this.#ask({ kind: 'close' });
    await exited;
  }

  async #drain(): Promise<void> {
    // What else this turn of the event loop brings travels along.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, maxBatch);
      this.#waiting = this.#waiting.slice(maxBatch);
      try {
        const reply = await this.#ask({ kind: 'write', writes: batch.map(({ write }) => write) });
        for (const [at, { resolve, reject }] of batch.entries()) {
          const outcome = reply.kind === 'written' ? reply.outcomes[at] : failure(reply);
          if (typeof outcome === 'number') resolve(outcome);
          else reject(fromErrorData(outcome ?? failure(reply)));
        }
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#draining = undefined;
  }

  #ask(request: CatalogRequest): Promise<CatalogReply> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#replies.push({ resolve, reject });
      this.#worker.postMessage(request, []);
    });
  }

  #end(cause: unknown): void {
    this.#ended ??= new TaplineError('registry_io', 'the thread of the catalog has ended', {
      cause,
    });
    for (const { reject } of this.#replies.splice(0)) reject(this.#ended);
  }
}

function failure(reply: CatalogReply): ErrorData {
  if (reply.kind === 'failed') return reply.error;
  const message = `unexpected reply ${reply.kind} of the catalog's thread`;
  return { code: 'registry_io', message, hint: undefined, details: {}, cause: undefined };
}
