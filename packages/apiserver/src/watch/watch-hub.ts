import { type Clock, isTaplineError, type Log, TaplineError } from '@tapline/base';
import type { Change, Store } from '@tapline/store';
import { expired } from '../api-error.ts';
import type { ObjectCache } from '../object-cache.ts';
import type { ServedKind } from '../served-kind.ts';
import { StoredObject } from '../stored-object.ts';
import { HubEvent } from './hub-event.ts';
import { KindFeed } from './kind-feed.ts';
import type { Selection } from './selection.ts';
import { Watcher, type WatchSink } from './watcher.ts';

export interface WatchHubInit {
  readonly store: Store;
  readonly kinds: readonly ServedKind[];
  readonly cache: ObjectCache;
  readonly clock: Clock;
  readonly log: Log;
  /** How often those who want bookmarks get one. */
  readonly bookmarkMs: number;
}

export interface WatchRequest {
  readonly kind: ServedKind;
  readonly selection: Selection;
  /** Events after this revision; absent: the current state as ADDED, then what follows. */
  readonly after: number | undefined;
  readonly bookmarks: boolean;
  /** A bookmark after the initial state says that it is complete. */
  readonly markInitialEnd: boolean;
  readonly sink: WatchSink;
  readonly signal: AbortSignal;
}

/** Follows the store once and hands its changes to all who watch. */
export class WatchHub implements AsyncDisposable {
  readonly #init: WatchHubInit;
  #feeds: ReadonlyMap<string, KindFeed>;
  readonly #bookmarked = new Set<Watcher>();
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;
  #revision: number;

  /** Reads the store once for the indexes, then follows it. */
  static async start(init: WatchHubInit): Promise<WatchHub> {
    return new WatchHub(init, await loadFeeds(init));
  }

  private constructor(init: WatchHubInit, loaded: LoadedFeeds) {
    this.#init = init;
    this.#feeds = loaded.feeds;
    this.#revision = loaded.revision;
    this.#running = Promise.all([this.#follow(), this.#bookmark()]);
  }

  /** Everything up to this revision has been handed out. */
  get revision(): number {
    return this.#revision;
  }

  get watcherCount(): number {
    let count = 0;
    for (const feed of this.#feeds.values()) count += feed.watchers.length;
    return count;
  }

  /** Keys by an indexed field; undefined while the index is behind the store. */
  indexedKeys(kind: ServedKind, field: string, value: string): ReadonlySet<string> | undefined {
    if (this.#revision !== this.#init.store.revision) return undefined;
    return this.#feeds.get(kind.prefix)?.index.keys(field, value);
  }

  /** Serves a watch until its signal aborts; the sink is told when it ends before. */
  async watch(request: WatchRequest): Promise<void> {
    const { kind, selection, sink, signal, after } = request;
    const feed = this.#feeds.get(kind.prefix);
    if (feed === undefined) throw new TaplineError('internal', `${kind.kind} has no feed`);
    let start = after;
    if (start === undefined) {
      start = await this.#sendState(request);
      if (request.markInitialEnd) sink.bookmark(start, true);
    } else this.#checkReachable(start);
    const watcher = new Watcher(selection, sink, start);
    while (watcher.seen < feed.recentAfter && !signal.aborted) {
      await this.#replay(request, feed, watcher);
    }
    if (signal.aborted) return;
    if (this.#stop.signal.aborted) {
      sink.end();
      return;
    }
    // In the same turn as the check that the recent events reach back far enough.
    feed.join(watcher);
    if (request.bookmarks) this.#bookmarked.add(watcher);
    sink.flush();
    const leave = (): void => {
      feed.leave(watcher);
      this.#bookmarked.delete(watcher);
    };
    signal.addEventListener('abort', leave, { once: true });
  }

  #checkReachable(after: number): void {
    const { revision, compactedRevision } = this.#init.store;
    // Only a store that lost its history answers so; the client has to list again.
    if (after > revision) {
      throw expired(`resource version ${after} is newer than the newest, ${revision}`);
    }
    if (after < compactedRevision) {
      throw expired(`too old resource version: ${after} (${compactedRevision})`);
    }
  }

  async #sendState({ kind, selection, sink, signal }: WatchRequest): Promise<number> {
    const prefix =
      selection.namespace === undefined ? kind.prefix : `${kind.prefix}${selection.namespace}/`;
    const { entries, revision } = await this.#init.store.list({ prefix });
    const initial = new Watcher(selection, sink, 0);
    for (const entry of entries) {
      if (signal.aborted) break;
      const { key, value, createRevision, modRevision } = entry;
      const change: Change = { kind: 'put', key, value, createRevision, revision: modRevision };
      initial.seen = 0;
      initial.offer(new HubEvent(kind, change, this.#init.cache.at(kind, entry)));
    }
    sink.flush();
    return revision;
  }

  /** Reads history from the store until the recent events reach back far enough. */
  async #replay(request: WatchRequest, feed: KindFeed, watcher: Watcher): Promise<void> {
    const enough = new AbortController();
    const changes = this.#init.store.watch({
      prefix: request.kind.prefix,
      after: watcher.seen,
      signal: AbortSignal.any([request.signal, enough.signal, this.#stop.signal]),
    });
    const batches = changes[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = batches.next();
        // A generator runs up to its first wait at once: here it has read all there is.
        if (changes.revision >= feed.recentAfter) {
          watcher.seen = Math.max(watcher.seen, changes.revision);
          next.catch(() => undefined);
          return;
        }
        const batch = await next;
        if (batch.done === true) return;
        for (const change of batch.value) watcher.offer(this.#eventOf(request.kind, change));
        request.sink.flush();
      }
    } catch (error) {
      throw gone(error);
    } finally {
      enough.abort();
    }
  }

  #eventOf(kind: ServedKind, change: Change): HubEvent {
    const { key, value, revision } = change;
    const now =
      change.kind === 'put'
        ? this.#init.cache.at(kind, { key, value, modRevision: revision })
        : new StoredObject(kind, value, revision);
    return new HubEvent(kind, change, now);
  }

  async #follow(): Promise<void> {
    const { log, store } = this.#init;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#followOnce();
        return;
      } catch (error) {
        if (signal.aborted || isTaplineError(error, 'store_closed')) return;
        // Compaction overtook this process: whoever watches has to list again, as the hub does.
        log.error('lost the place in the history', { revision: this.#revision, error });
      }
      const lost = this.#feeds;
      const loaded = await loadFeeds(this.#init);
      this.#feeds = loaded.feeds;
      this.#revision = loaded.revision;
      endAll(
        lost,
        expired(`too old resource version: history begins at ${store.compactedRevision}`),
      );
    }
  }

  async #followOnce(): Promise<void> {
    const { store, cache } = this.#init;
    const { signal } = this.#stop;
    for await (const batch of store.watch({ prefix: '', after: this.#revision, signal })) {
      const dirty = new Set<Watcher>();
      const events: HubEvent[] = [];
      for (const change of batch) {
        const feed = this.#feeds.get(prefixOf(change.key));
        if (feed !== undefined) {
          if (change.kind === 'delete') cache.forget(change.key);
          const event = this.#eventOf(feed.kind, change);
          feed.publish(event, dirty);
          events.push(event);
        }
        this.#revision = change.revision;
      }
      for (const watcher of dirty) watcher.sink.flush();
      for (const event of events) event.release();
    }
  }

  async #bookmark(): Promise<void> {
    const { clock, bookmarkMs } = this.#init;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await clock.sleep(bookmarkMs, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      for (const watcher of this.#bookmarked) {
        watcher.sink.bookmark(Math.max(this.#revision, watcher.seen), false);
        watcher.sink.flush();
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new TaplineError('unavailable', 'the server is stopping'));
    endAll(this.#feeds);
    this.#bookmarked.clear();
    await this.#running;
  }
}

interface LoadedFeeds {
  readonly feeds: ReadonlyMap<string, KindFeed>;
  readonly revision: number;
}

async function loadFeeds({ store, kinds, cache }: WatchHubInit): Promise<LoadedFeeds> {
  const { entries, revision } = await store.list({ prefix: '' });
  const feeds = new Map(kinds.map((kind) => [kind.prefix, new KindFeed(kind, revision)]));
  for (const entry of entries) {
    const feed = feeds.get(prefixOf(entry.key));
    if (feed !== undefined && !feed.index.isEmpty) {
      feed.index.change(entry.key, undefined, cache.at(feed.kind, entry).object);
    }
  }
  return { feeds, revision };
}

function endAll(feeds: ReadonlyMap<string, KindFeed>, error?: TaplineError): void {
  for (const feed of feeds.values()) {
    for (const watcher of feed.watchers) {
      feed.leave(watcher);
      watcher.sink.end(error);
    }
  }
}

/** `group/plural/` of a key. */
function prefixOf(key: string): string {
  return key.slice(0, key.indexOf('/', key.indexOf('/') + 1) + 1);
}

function gone(error: unknown): unknown {
  if (!isTaplineError(error)) return error;
  const codes = ['compacted', 'future_revision', 'watch_too_slow'];
  return codes.includes(error.code) ? expired(`too old resource version: ${error.message}`) : error;
}
