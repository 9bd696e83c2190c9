import {
  backoffMs,
  type Clock,
  isTaplineError,
  type Log,
  type Rng,
  TaplineError,
} from '@tapline/base';
import type { ListOptions, ObjectList, ObjectOf, WatchEvent, WatchOptions } from '@tapline/client';
import type { KindDefinition } from '@tapline/resources';
import type { AnyObject } from './any-object.ts';
import type { Change } from './change.ts';
import { compareRevisions } from './compare-revisions.ts';
import { type IndexFunction, ObjectCache } from './object-cache.ts';

/** What an informer asks; any `ResourceClient` answers it. */
export interface InformerSource<D extends KindDefinition> {
  list(definition: D, options?: ListOptions): Promise<ObjectList<ObjectOf<D>>>;
  watch(definition: D, options: WatchOptions): AsyncIterable<WatchEvent<ObjectOf<D>>>;
}

/** Which objects an informer follows, how it finds them again, and what it runs on. */
export interface InformerInit<T extends AnyObject, Index extends string> {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly indexes?: Readonly<Record<Index, IndexFunction<T>>>;
  /** Pause before the first reconnection, doubled up to `maxBackoffMs`. */
  readonly baseBackoffMs?: number;
  readonly maxBackoffMs?: number;
}

/** A local, indexed copy of a kind that follows the API by list and watch. */
export interface Informer<
  T extends AnyObject,
  Index extends string = never,
> extends AsyncDisposable {
  readonly definition: KindDefinition;
  /** Resolves when the first list is in the cache; rejects when disposed before. */
  readonly synced: Promise<void>;
  readonly isSynced: boolean;
  /** Everything up to this resourceVersion has been seen. */
  readonly revision: string | undefined;
  get(key: string): T | undefined;
  list(): readonly T[];
  byIndex(index: Index, value: string): readonly T[];
  countByIndex(index: Index, value: string): number;
  /** Puts what a write of ours answered into the cache ahead of its event. */
  observe(object: T): void;
  /** Calls `listener` for each change from now on, in order; gives back what ends that. */
  onChange(listener: (change: Change<T>) => void): () => void;
}

const pageSize = 500;
/** A watch that went on for this long was not refused. */
const provenMs = 5000;

/** Starts following a kind. The cache is empty until `synced`. */
export function createInformer<D extends KindDefinition, Index extends string = never>(
  client: InformerSource<NoInfer<D>>,
  definition: D,
  init: InformerInit<ObjectOf<D>, Index>,
): Informer<ObjectOf<D>, Index> {
  return new RunningInformer(client, definition, init);
}

class RunningInformer<D extends KindDefinition, Index extends string> implements Informer<
  ObjectOf<D>,
  Index
> {
  readonly definition: D;
  readonly synced: Promise<void>;
  isSynced = false;
  readonly #client: InformerSource<D>;
  readonly #init: InformerInit<ObjectOf<D>, Index>;
  readonly #cache: ObjectCache<ObjectOf<D>, Index>;
  readonly #listeners = new Set<(change: Change<ObjectOf<D>>) => void>();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #sync = Promise.withResolvers<void>();

  constructor(client: InformerSource<D>, definition: D, init: InformerInit<ObjectOf<D>, Index>) {
    this.#client = client;
    this.definition = definition;
    this.#init = init;
    this.#cache = new ObjectCache(init.indexes ?? ({} as Record<Index, never>));
    this.synced = this.#sync.promise;
    // Whoever does not wait for it must not bring the process down.
    this.synced.catch(() => undefined);
    this.#running = this.#follow();
  }

  get revision(): string | undefined {
    return this.#cache.revision;
  }

  get(key: string): ObjectOf<D> | undefined {
    return this.#cache.get(key);
  }

  list(): readonly ObjectOf<D>[] {
    return this.#cache.list();
  }

  byIndex(index: Index, value: string): readonly ObjectOf<D>[] {
    return this.#cache.byIndex(index, value);
  }

  countByIndex(index: Index, value: string): number {
    return this.#cache.countByIndex(index, value);
  }

  observe(object: ObjectOf<D>): void {
    this.#emit(this.#cache.observe(object));
  }

  onChange(listener: (change: Change<ObjectOf<D>>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new TaplineError('stopped', 'the informer was stopped'));
    this.#listeners.clear();
    await this.#running;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    let failures = 0;
    let mustList = true;
    while (!signal.aborted) {
      const began = this.#init.clock.monotonic();
      try {
        if (mustList) {
          await this.#list();
          mustList = false;
          failures = 0;
        }
        await this.#watch(() => {
          failures = 0;
        });
      } catch (error) {
        if (signal.aborted) break;
        if (isTaplineError(error, 'expired')) mustList = true;
        this.#init.log.warn('watch interrupted', {
          kind: this.definition.kind,
          revision: this.#cache.revision,
          relist: mustList,
          error,
        });
      }
      // Nothing may come for long, and a watch that is cut after that is no failure in a row.
      if (this.#init.clock.monotonic() - began >= provenMs) failures = 0;
      await this.#pause(failures);
      failures += 1;
    }
    this.#sync.reject(signal.reason);
  }

  /** Full jitter from the first retry on, so that a restart of the API is not met by a herd. */
  async #pause(failures: number): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted) return;
    const { baseBackoffMs: baseMs = 50, maxBackoffMs: maxMs = 30_000, rng, clock } = this.#init;
    try {
      await clock.sleep(backoffMs(failures, { baseMs, maxMs, rng }), { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #list(): Promise<void> {
    const { labelSelector, fieldSelector } = this.#init;
    const items: ObjectOf<D>[] = [];
    let page: string | undefined;
    let revision: string;
    do {
      const list = await this.#client.list(this.definition, {
        limit: pageSize,
        signal: this.#stop.signal,
        ...(page === undefined ? {} : { continue: page }),
        ...(labelSelector === undefined ? {} : { labelSelector }),
        ...(fieldSelector === undefined ? {} : { fieldSelector }),
      });
      items.push(...list.items);
      ({ resourceVersion: revision } = list);
      page = list.continue === '' ? undefined : list.continue;
    } while (page !== undefined);
    // A replica that lags would undo what was seen; the next attempt may reach a newer one.
    if (compareRevisions(revision, this.#cache.revision) < 0) {
      throw new TaplineError(
        'stale_list',
        `list of ${this.definition.plural} is at revision ${revision}, older than ${this.#cache.revision}`,
      );
    }
    const changes = this.#cache.replace(items, revision);
    if (!this.isSynced) {
      this.isSynced = true;
      this.#sync.resolve();
    }
    this.#emit(changes);
  }

  /** Follows until the watch ends, or throws where it is cut. */
  async #watch(onEvent: () => void): Promise<void> {
    const { labelSelector, fieldSelector } = this.#init;
    const events = this.#client.watch(this.definition, {
      signal: this.#stop.signal,
      ...(this.#cache.revision === undefined ? {} : { resourceVersion: this.#cache.revision }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    });
    for await (const event of events) {
      onEvent();
      if (event.kind === 'bookmark') this.#cache.advance(event.resourceVersion);
      else this.#emit(this.#cache.apply(event.kind, event.object));
    }
  }

  #emit(changes: readonly Change<ObjectOf<D>>[]): void {
    for (const change of changes) {
      for (const listener of this.#listeners) {
        try {
          listener(change);
        } catch (error) {
          // One listener's fault must not keep the change from the others or end the watch.
          const { name } = change.object.metadata;
          this.#init.log.error('informer listener failed', {
            kind: this.definition.kind,
            name,
            error,
          });
        }
      }
    }
  }
}
