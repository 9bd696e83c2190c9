import { TaplineError } from '@tapline/base';
import type { Change, Watch, WatchOptions } from './store.ts';
import type { VersionedMap } from './versioned-map.ts';

/** Changes in one batch read from the history; live batches are as large as their commit. */
const maxHistoryBatch = 1000;

/** The watchers of one prefix. They share their batches. */
interface Topic {
  readonly prefix: string;
  readonly watchers: Set<Watcher>;
  /** No matching change is newer than this. */
  lastRevision: number;
}

interface Watcher {
  /** Set while it waits, with everything before seen. */
  wake: ((batch: readonly Change[] | undefined) => void) | undefined;
}

/**
 * Passes changes to watchers. One that waits is handed the live batch; one that does not keep up
 * holds no queue, it reads the history from where it stands, until compaction overtakes it.
 */
export class WatchHub {
  readonly #map: VersionedMap;
  /** By length of the prefix, then by prefix: finds a key's topics without trying each. */
  readonly #topics = new Map<number, Map<string, Topic>>();
  #closed = false;

  constructor(map: VersionedMap) {
    this.#map = map;
  }

  /** Changes just applied to the map, in revision order. */
  publish(changes: readonly Change[]): void {
    const batches = new Map<Topic, Change[]>();
    for (const change of changes) {
      for (const [length, topics] of this.#topics) {
        if (length > change.key.length) continue;
        const topic = topics.get(change.key.slice(0, length));
        if (topic === undefined) continue;
        const batch = batches.get(topic);
        if (batch === undefined) batches.set(topic, [change]);
        else batch.push(change);
        topic.lastRevision = change.revision;
      }
    }
    for (const [topic, batch] of batches) {
      for (const watcher of topic.watchers) watcher.wake?.(batch);
    }
  }

  /** Ends every watch without an error. */
  close(): void {
    this.#closed = true;
    for (const topics of this.#topics.values()) {
      for (const topic of topics.values()) {
        for (const watcher of topic.watchers) watcher.wake?.(undefined);
      }
    }
  }

  watch(options: WatchOptions): Watch {
    const place: Place = { cursor: options.after, topic: undefined };
    const map = this.#map;
    const batches = this.#batches(options, place);
    return {
      get revision() {
        const { cursor, topic } = place;
        return topic !== undefined && topic.lastRevision <= cursor ? map.revision : cursor;
      },
      [Symbol.asyncIterator]: () => batches,
    };
  }

  async *#batches(
    options: WatchOptions,
    place: Place,
  ): AsyncGenerator<readonly Change[], undefined, void> {
    const { prefix, signal } = options;
    if (this.#closed) throw new TaplineError('store_closed', 'the store is closed');
    this.#map.checkReadable(place.cursor);
    const watcher: Watcher = { wake: undefined };
    const topic = this.#join(prefix, watcher);
    place.topic = topic;
    const onAbort = (): void => watcher.wake?.(undefined);
    signal.addEventListener('abort', onAbort);
    try {
      while (!this.#closed && !signal.aborted) {
        if (place.cursor < topic.lastRevision) {
          this.#checkNotOvertaken(place.cursor, prefix);
          const past = this.#map.changesAfter(place.cursor, { prefix, limit: maxHistoryBatch });
          if (past.changes.length > 0) yield past.changes;
          place.cursor = past.upTo;
          continue;
        }
        const live = await nextBatch(watcher);
        const last = live?.at(-1);
        if (live === undefined || last === undefined) return;
        yield live;
        place.cursor = last.revision;
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#leave(topic, watcher);
    }
  }

  #checkNotOvertaken(cursor: number, prefix: string): void {
    const { compactedRevision } = this.#map;
    if (cursor >= compactedRevision) return;
    throw new TaplineError(
      'watch_too_slow',
      `the watch of "${prefix}" stands at revision ${cursor}, history begins after ${compactedRevision}`,
      {
        hint: 'list again and watch from the revision of that list',
        details: { revision: cursor, compactedRevision },
      },
    );
  }

  #join(prefix: string, watcher: Watcher): Topic {
    let topics = this.#topics.get(prefix.length);
    if (topics === undefined) this.#topics.set(prefix.length, (topics = new Map()));
    let topic = topics.get(prefix);
    if (topic === undefined) {
      topic = { prefix, watchers: new Set(), lastRevision: this.#map.revision };
      topics.set(prefix, topic);
    }
    topic.watchers.add(watcher);
    return topic;
  }

  #leave(topic: Topic, watcher: Watcher): void {
    topic.watchers.delete(watcher);
    if (topic.watchers.size > 0) return;
    const topics = this.#topics.get(topic.prefix.length);
    topics?.delete(topic.prefix);
    if (topics?.size === 0) this.#topics.delete(topic.prefix.length);
  }
}

/** How far a watch has come. */
interface Place {
  /** The consumer has taken every matching change up to this revision. */
  cursor: number;
  /** Its topic, once it has joined. */
  topic: Topic | undefined;
}

async function nextBatch(watcher: Watcher): Promise<readonly Change[] | undefined> {
  try {
    return await new Promise((resolve) => {
      watcher.wake = resolve;
    });
  } finally {
    watcher.wake = undefined;
  }
}
