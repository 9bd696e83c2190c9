import { TaplineError } from '@tapline/base';
import { entryLeft, entryOf } from './entry-of.ts';
import { SortedIndex } from './sorted-index.ts';
import type { Change, Entry, ListOptions, ListResult, Retention } from './store.ts';

interface Version {
  readonly change: Change;
  older: Version | undefined;
}

interface Chain {
  readonly key: string;
  newest: Version;
}

/** What a journal keeps of a change; the rest follows from the changes before it. */
export interface ChangeRecord {
  readonly revision: number;
  readonly createRevision: number;
  readonly key: string;
  /** `null` for a deletion. */
  readonly value: string | null;
}

/**
 * The state of a store in memory: each key's versions since the compacted revision, newest first,
 * and the history, one change per revision without gaps. No I/O, nothing asynchronous.
 */
export class VersionedMap {
  readonly #chains = new Map<string, Chain>();
  readonly #ordered = new SortedIndex<Chain>();
  /** The version of revision `compactedRevision + 1 + i` at index i. */
  #history: Version[] = [];
  #historyBytes = 0;
  #compactedRevision: number;

  constructor(compactedRevision: number) {
    this.#compactedRevision = compactedRevision;
  }

  get revision(): number {
    return this.#compactedRevision + this.#history.length;
  }

  get compactedRevision(): number {
    return this.#compactedRevision;
  }

  get(key: string): Entry | undefined {
    const chain = this.#chains.get(key);
    return chain === undefined ? undefined : entryLeft(chain.newest.change);
  }

  /** Adds the change of the next revision. */
  apply(change: Change): void {
    if (change.revision !== this.revision + 1) {
      throw new RangeError(`change ${change.revision} does not follow ${this.revision}`);
    }
    this.#history.push(this.#link(change));
    this.#historyBytes += sizeOf(change);
  }

  /**
   * Adds what a journal kept, in revision order. Answers the revisions that a compaction had
   * already made superfluous and the journal still holds.
   */
  restore(record: ChangeRecord): readonly number[] {
    const { revision, createRevision, key } = record;
    const newest = this.#chains.get(key)?.newest;
    const previous = newest?.change.kind === 'put' ? newest.change : undefined;
    const change: Change = {
      kind: record.value === null ? 'delete' : 'put',
      key,
      value: record.value ?? previous?.value ?? '',
      ...(previous === undefined ? {} : { previous: previous.value }),
      createRevision,
      revision,
    };
    if (revision > this.#compactedRevision) {
      this.apply(change);
      return [];
    }
    return this.#cut(this.#link(change));
  }

  list(options: ListOptions): ListResult {
    const { prefix, after, limit = Infinity, revision = this.revision } = options;
    this.checkReadable(revision);
    const entries: Entry[] = [];
    let remaining = 0;
    const start = after !== undefined && after > prefix ? after : prefix;
    this.#ordered.scan(start, (chain) => {
      if (!chain.key.startsWith(prefix)) return false;
      const change = changeAt(chain.newest, revision);
      if (change?.kind !== 'put' || chain.key === after) return true;
      if (entries.length < limit) entries.push(entryOf(change));
      else remaining += 1;
      return true;
    });
    return { entries, revision, more: remaining > 0, remaining };
  }

  /** Up to `limit` changes after a revision that is not compacted, and how far it looked. */
  changesAfter(
    revision: number,
    options: { readonly prefix: string; readonly limit: number },
  ): { readonly changes: readonly Change[]; readonly upTo: number } {
    const changes: Change[] = [];
    let at = revision - this.#compactedRevision;
    for (; at < this.#history.length && changes.length < options.limit; at++) {
      const { change } = this.#history[at] as Version;
      if (change.key.startsWith(options.prefix)) changes.push(change);
    }
    return { changes, upTo: this.#compactedRevision + at };
  }

  /**
   * Forgets what only reads before `revision` can see. Answers the revisions of the changes that
   * nothing needs any more.
   */
  compact(revision: number): readonly number[] {
    if (revision <= this.#compactedRevision) return [];
    this.#checkReached(revision);
    const compacted = this.#history.slice(0, revision - this.#compactedRevision);
    this.#history = this.#history.slice(compacted.length);
    this.#compactedRevision = revision;
    const dead: number[] = [];
    for (const version of compacted) {
      this.#historyBytes -= sizeOf(version.change);
      dead.push(...this.#cut(version));
    }
    return dead;
  }

  /** Where to compact to, once the history exceeds `retention` by a quarter. */
  excess(retention: Retention): number | undefined {
    const { revisions, bytes } = retention;
    // The quarter makes compaction rare and worth its transaction.
    if (this.#history.length <= revisions * 1.25 && this.#historyBytes <= bytes * 1.25) return;
    let kept = this.#historyBytes;
    let dropped = 0;
    while (this.#history.length - dropped > revisions || kept > bytes) {
      kept -= sizeOf((this.#history[dropped] as Version).change);
      dropped += 1;
    }
    return this.#compactedRevision + dropped;
  }

  /** Fails unless reads as of `revision` are answerable. */
  checkReadable(revision: number): void {
    if (revision < this.#compactedRevision) {
      throw new TaplineError(
        'compacted',
        `revision ${revision} is older than the compacted revision ${this.#compactedRevision}`,
        {
          hint: 'list again and watch from the revision of that list',
          details: { revision, compactedRevision: this.#compactedRevision },
        },
      );
    }
    this.#checkReached(revision);
  }

  #checkReached(revision: number): void {
    if (revision <= this.revision) return;
    throw new TaplineError(
      'future_revision',
      `revision ${revision} is newer than the newest revision ${this.revision}`,
      { details: { revision, newestRevision: this.revision } },
    );
  }

  #link(change: Change): Version {
    const chain = this.#chains.get(change.key);
    const version: Version = { change, older: chain?.newest };
    if (chain === undefined) {
      const created: Chain = { key: change.key, newest: version };
      this.#chains.set(change.key, created);
      this.#ordered.insert(created);
    } else {
      chain.newest = version;
    }
    return version;
  }

  /** Drops what came before a version at or below the compacted revision; a deletion too. */
  #cut(version: Version): readonly number[] {
    const dead: number[] = [];
    // An older deletion was dropped by its own cut.
    if (version.older?.change.kind === 'put') dead.push(version.older.change.revision);
    version.older = undefined;
    const { kind, key, revision } = version.change;
    if (kind === 'delete') {
      dead.push(revision);
      if (this.#chains.get(key)?.newest === version) {
        this.#chains.delete(key);
        this.#ordered.remove(key);
      }
    }
    return dead;
  }
}

/** The newest change of a key not after `revision`. */
function changeAt(newest: Version, revision: number): Change | undefined {
  let version: Version | undefined = newest;
  while (version !== undefined && version.change.revision > revision) version = version.older;
  return version?.change;
}

function sizeOf(change: Change): number {
  return change.key.length + change.value.length;
}
