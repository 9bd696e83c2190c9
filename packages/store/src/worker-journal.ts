import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { fromErrorData, TaplineError } from '@tapline/base';
import type { Journal } from './journal.ts';
import type { Change } from './store.ts';
import type { ChangeRecord } from './versioned-map.ts';
import { fromTuple, type Reply, type Request } from './worker-protocol.ts';

/** Rows dropped in one transaction: no write waits longer than for these. */
const deadPerTransaction = 500;

interface PendingReply {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
}

/** A SQLite journal in a thread of its own, so that a slow disk never stops the event loop. */
export class WorkerJournal implements Journal {
  readonly #worker: Worker;
  readonly #pending: PendingReply[] = [];
  #ended: TaplineError | undefined;

  constructor() {
    // Beside this file, which is a .js file once it is bundled.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    this.#worker = new Worker(new URL(`./journal-thread.${extension}`, import.meta.url), {
      // Flags of the process need not hold for a thread: `--input-type` would stop it.
      execArgv: [],
    });
    this.#worker.on('message', (reply: Reply) => {
      const pending = this.#pending.shift();
      if (reply.kind === 'error') pending?.reject(fromErrorData(reply.error));
      else pending?.resolve(reply);
    });
    this.#worker.on('error', (cause) => this.#end(cause));
    this.#worker.on('exit', (code) => this.#end(new Error(`exit code ${code}`)));
  }

  /** Takes the file's lock and answers the compacted revision. */
  async open(path: string, options: { readonly maxBytes?: number } = {}): Promise<number> {
    const reply = await this.#ask({ kind: 'open', path, ...options });
    if (reply.kind !== 'opened') throw unexpected(reply);
    return reply.compactedRevision;
  }

  /** Everything kept, in revision order. */
  async *records(): AsyncGenerator<ChangeRecord, undefined, void> {
    let after = 0;
    while (true) {
      const reply = await this.#ask({ kind: 'read', after });
      if (reply.kind !== 'records') throw unexpected(reply);
      if (reply.records.length === 0) return;
      for (const tuple of reply.records) {
        yield fromTuple(tuple);
        [after] = tuple;
      }
    }
  }

  async append(changes: readonly Change[]): Promise<void> {
    const records = changes.map(
      (change) =>
        [
          change.revision,
          change.createRevision,
          change.key,
          change.kind === 'put' ? change.value : null,
        ] as const,
    );
    await this.#ask({ kind: 'append', records });
  }

  async compact(revision: number, dead: readonly number[]): Promise<void> {
    // The first transaction says what is compacted: after a crash the rest is found again.
    let at = 0;
    do {
      await this.#ask({ kind: 'compact', revision, dead: dead.slice(at, at + deadPerTransaction) });
      at += deadPerTransaction;
    } while (at < dead.length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended !== undefined) return;
    const exited = once(this.#worker, 'exit');
    await this.#ask({ kind: 'close' });
    await exited;
  }

  #ask(request: Request): Promise<Reply> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject });
      this.#worker.postMessage(request, []);
    });
  }

  #end(cause: unknown): void {
    this.#ended ??= new TaplineError('store_io', 'the thread of the store has ended', { cause });
    for (const { reject } of this.#pending.splice(0)) reject(this.#ended);
  }
}

function unexpected(reply: Reply): TaplineError {
  return new TaplineError('store_io', `unexpected reply ${reply.kind} of the store's thread`);
}
