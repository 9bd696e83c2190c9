/** An object as it stands at one revision. */
export interface Entry {
  readonly key: string;
  /** JSON text, kept byte for byte; the store never parses it. */
  readonly value: string;
  /** Revision of the operation that created the key (again, after a deletion). */
  readonly createRevision: number;
  /** Revision of the newest operation on the key: a Kubernetes resourceVersion. */
  readonly modRevision: number;
}

/** One step of a {@link Store.write}. */
export type WriteOperation =
  /** Fails with `already_exists` when the key exists. */
  | { readonly kind: 'create'; readonly key: string; readonly value: string }
  /** Fails with `not_found`, or with `conflict` when the key is not at `ifRevision`. */
  | {
      readonly kind: 'update';
      readonly key: string;
      readonly value: string;
      readonly ifRevision?: number;
    }
  /** Fails with `not_found`, or with `conflict` when the key is not at `ifRevision`. */
  | { readonly kind: 'delete'; readonly key: string; readonly ifRevision?: number };

/** What one operation did, as a watch sees it. */
export interface Change {
  readonly kind: 'put' | 'delete';
  readonly key: string;
  /** The new value; the last value where `kind` is `delete`. */
  readonly value: string;
  /** The value before, absent where the operation created the key. */
  readonly previous?: string;
  readonly createRevision: number;
  readonly revision: number;
}

export interface ListOptions {
  /** Only keys that start with this; the empty string lists all. */
  readonly prefix: string;
  /** Exclusive: only keys after this one, in the order of UTF-16 code units. */
  readonly after?: string;
  /** At most this many entries, at least 1. */
  readonly limit?: number;
  /** Read as of this revision; the newest by default. */
  readonly revision?: number;
}

export interface ListResult {
  /** Ordered by key. */
  readonly entries: readonly Entry[];
  /** The revision that was read: pass it on to read the next page, or to watch from here. */
  readonly revision: number;
  readonly more: boolean;
  /** How many entries follow the last one of this page. */
  readonly remaining: number;
}

export interface WriteResult {
  /** Revision of the last operation. */
  readonly revision: number;
  /** One per operation, in order; for a delete the last value, at the revision of the deletion. */
  readonly entries: readonly Entry[];
}

export interface WatchOptions {
  /** Only keys that start with this; the empty string watches all. */
  readonly prefix: string;
  /** Exclusive: the first change yielded is the first one after this revision. */
  readonly after: number;
  /** Ends the iteration, without an error. */
  readonly signal: AbortSignal;
}

/** Batches of changes, never empty, in revision order; iterate it once. */
export interface Watch extends AsyncIterable<readonly Change[]> {
  /**
   * The consumer is done with every matching change up to this revision: a batch counts once the
   * next one is asked for. It moves on with the store also where nothing matches: what a bookmark
   * may say.
   */
  readonly revision: number;
}

/**
 * A revisioned map from key to JSON text with one writer: this process.
 *
 * Each operation takes a revision of its own, one higher than the last, also inside a write of
 * several operations: a revision names one change of one key, and the order of a watch is total.
 * Revisions start at 1 and are never used twice. Reads show durable state only.
 *
 * Besides the errors named at each method, all fail with `store_closed` after disposal, and writes
 * fail with `store_failed` once the disk has refused one in a way that leaves its outcome unknown.
 */
export interface Store extends AsyncDisposable {
  /** The newest durable revision; 0 when nothing was ever written. */
  readonly revision: number;
  /** Reads and watches from before this revision fail with `compacted`. */
  readonly compactedRevision: number;

  /** The entry now. */
  get(key: string): Promise<Entry | undefined>;

  /** As {@link Store.get}, for a hot path that reads, computes and writes in one turn. */
  getSync(key: string): Entry | undefined;

  /**
   * Entries under a prefix, ordered by key.
   * Fails with `compacted` (details: `revision`, `compactedRevision`) and with `future_revision`
   * (details: `revision`, `newestRevision`).
   */
  list(options: ListOptions): Promise<ListResult>;

  /**
   * All operations or none, each seeing the ones before it; answered once they are durable.
   * Fails with `already_exists`, `not_found` or `conflict` (details: `key`, `operation` (index),
   * and for a conflict `expected` and `actual` revision), `invalid_key`, `invalid_value`.
   */
  write(operations: readonly WriteOperation[]): Promise<WriteResult>;

  /**
   * Every change after a revision, once, in revision order, then live.
   * The iteration throws `compacted` when `after` is below {@link Store.compactedRevision},
   * `future_revision` when it is above {@link Store.revision}, and `watch_too_slow` when compaction
   * overtakes it: a watcher holds no queue, only a place in the retained history. Ends without an
   * error when the signal aborts or the store is disposed.
   */
  watch(options: WatchOptions): Watch;

  /**
   * Forgets history up to and including what led to `revision`; entries stay, and reads as of
   * `revision` and later still work. Below the compacted revision it does nothing.
   * Fails with `future_revision`.
   */
  compact(revision: number): Promise<void>;
}

/** How much history is kept without being asked: trimmed once either limit is exceeded. */
export interface Retention {
  /** At least this many newest revisions stay, unless `bytes` is exceeded. */
  readonly revisions: number;
  /** Length of the keys and values of the retained changes. */
  readonly bytes: number;
}
