import { isTaplineError, TaplineError } from '@tapline/base';
import { checkOperation } from './check-operation.ts';
import { entryLeft, entryOf } from './entry-of.ts';
import type { Journal } from './journal.ts';
import { planWrite } from './plan-write.ts';
import type {
  Change,
  Entry,
  ListOptions,
  ListResult,
  Retention,
  Store,
  Watch,
  WatchOptions,
  WriteOperation,
  WriteResult,
} from './store.ts';
import type { VersionedMap } from './versioned-map.ts';
import { WatchHub } from './watch-hub.ts';

interface PendingWrite {
  readonly operations: readonly WriteOperation[];
  readonly resolve: (result: WriteResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The store: state in memory, durable in a journal. Writes that arrive while the journal is busy
 * go to it together (group commit), and show in reads and watches once it has answered.
 */
export class JournaledStore implements Store {
  readonly #map: VersionedMap;
  readonly #journal: Journal;
  readonly #retention: Retention;
  readonly #hub: WatchHub;
  #queue: PendingWrite[] = [];
  #committing: Promise<void> | undefined;
  #compacting: Promise<void> = Promise.resolve();
  #closed = false;
  #failure: unknown;

  constructor(init: {
    readonly map: VersionedMap;
    readonly journal: Journal;
    readonly retention: Retention;
  }) {
    this.#map = init.map;
    this.#journal = init.journal;
    this.#retention = init.retention;
    this.#hub = new WatchHub(init.map);
  }

  get revision(): number {
    return this.#map.revision;
  }

  get compactedRevision(): number {
    return this.#map.compactedRevision;
  }

  async get(key: string): Promise<Entry | undefined> {
    return this.getSync(key);
  }

  getSync(key: string): Entry | undefined {
    this.#checkOpen();
    return this.#map.get(key);
  }

  async list(options: ListOptions): Promise<ListResult> {
    this.#checkOpen();
    return this.#map.list(options);
  }

  async write(operations: readonly WriteOperation[]): Promise<WriteResult> {
    this.#checkWritable();
    for (const operation of operations) checkOperation(operation);
    return new Promise((resolve, reject) => {
      this.#queue.push({ operations, resolve, reject });
      this.#committing ??= this.#commitQueue();
    });
  }

  watch(options: WatchOptions): Watch {
    return this.#hub.watch(options);
  }

  async compact(revision: number): Promise<void> {
    this.#checkWritable();
    await this.#compact(revision);
  }

  /** Waits for the writes that were taken, then ends the watches. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#committing;
    await Promise.allSettled([this.#compacting]);
    this.#hub.close();
    await this.#journal[Symbol.asyncDispose]();
  }

  async #commitQueue(): Promise<void> {
    // One turn of the microtask queue: writes made together go together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const group = this.#queue;
      this.#queue = [];
      await this.#commitGroup(group);
    }
    this.#committing = undefined;
  }

  /** Each write stands or falls alone, but all answers wait for the disk: they saw each other. */
  async #commitGroup(group: readonly PendingWrite[]): Promise<void> {
    const changes: Change[] = [];
    const written = new Map<string, Entry | undefined>();
    const answers: (() => void)[] = [];
    const get = (key: string): Entry | undefined =>
      written.has(key) ? written.get(key) : this.#map.get(key);
    for (const { operations, resolve, reject } of group) {
      try {
        const revision = this.#map.revision + changes.length;
        const planned = planWrite(operations, { get, revision });
        for (const change of planned) {
          changes.push(change);
          written.set(change.key, entryLeft(change));
        }
        const result = { revision: revision + planned.length, entries: planned.map(entryOf) };
        answers.push(() => resolve(result));
      } catch (error) {
        answers.push(() => reject(error));
      }
    }
    try {
      if (this.#failure !== undefined) this.#checkWritable();
      if (changes.length > 0) await this.#journal.append(changes);
    } catch (error) {
      const reason = this.#refusal(error);
      for (const { reject } of group) reject(reason);
      return;
    }
    for (const change of changes) this.#map.apply(change);
    for (const answer of answers) answer();
    this.#hub.publish(changes);
    const excess = this.#map.excess(this.#retention);
    // Its failure shows in the next write, as `store_failed`.
    if (excess !== undefined) this.#compact(excess).catch(() => undefined);
  }

  #compact(revision: number): Promise<void> {
    if (revision <= this.#map.compactedRevision) return this.#compacting;
    const dead = this.#map.compact(revision);
    const compacting = this.#journal.compact(revision, dead).catch((error: unknown) => {
      throw this.#refusal(error);
    });
    this.#compacting = Promise.all([this.#compacting, compacting]).then(() => undefined);
    return this.#compacting;
  }

  /** Only a full disk is known to have kept nothing; after any other error nothing is certain. */
  #refusal(error: unknown): unknown {
    if (isTaplineError(error, 'store_full')) return error;
    this.#failure ??= error;
    return failed(this.#failure);
  }

  #checkWritable(): void {
    this.#checkOpen();
    if (this.#failure !== undefined) throw failed(this.#failure);
  }

  #checkOpen(): void {
    if (this.#closed) throw new TaplineError('store_closed', 'the store is closed');
  }
}

function failed(cause: unknown): TaplineError {
  return new TaplineError('store_failed', 'the store takes no writes after an error of its disk', {
    hint: 'see to the disk, then restart: what is on it decides which of the last writes count',
    cause,
  });
}
