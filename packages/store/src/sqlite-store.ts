import { TaplineError } from '@tapline/base';
import { JournaledStore } from './journaled-store.ts';
import { defaultRetention } from './retention.ts';
import type { Retention, Store } from './store.ts';
import { VersionedMap } from './versioned-map.ts';
import { WorkerJournal } from './worker-journal.ts';

export interface SqliteStoreOptions {
  /** The database file, made with mode 0600 where there is none; its folder must exist. */
  readonly path: string;
  readonly retention?: Retention;
  /** Writes that would make the file larger than this fail with `store_full`; no limit by default. */
  readonly maxBytes?: number;
}

/**
 * A store in a SQLite file, read into memory once and then only written. Fails with `store_locked`
 * (another process has it), `store_corrupt`, `store_version_unsupported` and `store_io`.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { path, retention = defaultRetention, maxBytes } = options;
  const journal = new WorkerJournal();
  try {
    const map = new VersionedMap(
      await journal.open(path, maxBytes === undefined ? {} : { maxBytes }),
    );
    const dead: number[] = [];
    for await (const record of journal.records()) {
      try {
        dead.push(...map.restore(record));
      } catch (cause) {
        throw new TaplineError('store_corrupt', `${path} misses changes`, { cause });
      }
    }
    if (dead.length > 0) await journal.compact(map.compactedRevision, dead);
    return new JournaledStore({ map, journal, retention });
  } catch (error) {
    await journal[Symbol.asyncDispose]();
    throw error;
  }
}
