import { chmodSync, closeSync, openSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { isSystemError, TaplineError } from '@tapline/base';
import { sqliteFailure } from './sqlite-failure.ts';
import type { ChangeRecord } from './versioned-map.ts';

/** "tapl": tells a store from other SQLite databases. */
const applicationId = 0x7461706c;
const schemaVersion = 1;

/** Text read in one go while opening, in UTF-16 units. */
const readBytes = 4 * 2 ** 20;

/**
 * The file: a row per change, by revision. Synchronous; it lives in a worker thread. The process
 * that has it open holds SQLite's exclusive lock on it, which the system drops when it dies.
 */
export class SqliteJournal implements Disposable {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;
  readonly #setCompacted: StatementSync;

  constructor(path: string, options: { readonly maxBytes?: number } = {}) {
    this.#path = path;
    this.#database = openDatabase(path, options.maxBytes);
    this.#insert = this.#database.prepare(
      'INSERT INTO change (revision, create_revision, key, value) VALUES (?, ?, ?, ?)',
    );
    this.#delete = this.#database.prepare('DELETE FROM change WHERE revision = ?');
    this.#setCompacted = this.#database.prepare('UPDATE compaction SET revision = ?');
  }

  compactedRevision(): number {
    return this.#attempt(() => {
      const row = this.#database.prepare('SELECT revision FROM compaction').get();
      return Number(row?.['revision']);
    });
  }

  /** Some of the records after a revision, in order; none at the end. */
  recordsAfter(revision: number): readonly ChangeRecord[] {
    return this.#attempt(() => {
      const records: ChangeRecord[] = [];
      let size = 0;
      const rows = this.#database
        .prepare(
          'SELECT revision, create_revision, key, value FROM change WHERE revision > ? ORDER BY revision',
        )
        .iterate(revision);
      for (const row of rows) {
        const key = String(row['key']);
        const value = row['value'] === null ? null : String(row['value']);
        records.push({
          revision: Number(row['revision']),
          createRevision: Number(row['create_revision']),
          key,
          value,
        });
        size += key.length + (value?.length ?? 0);
        if (size >= readBytes) break;
      }
      return records;
    });
  }

  append(records: readonly ChangeRecord[]): void {
    this.#transact(() => {
      for (const { revision, createRevision, key, value } of records) {
        this.#insert.run(revision, createRevision, key, value);
      }
    });
  }

  compact(revision: number, dead: readonly number[]): void {
    this.#transact(() => {
      this.#setCompacted.run(revision);
      for (const each of dead) this.#delete.run(each);
    });
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #transact(body: () => void): void {
    this.#attempt(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        body();
        this.#database.exec('COMMIT');
      } catch (error) {
        // SQLite has rolled back by itself after some errors, a full disk among them.
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  #attempt<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw sqliteFailure(error, this.#path);
    }
  }
}

function openDatabase(path: string, maxBytes: number | undefined): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    createPrivate(path);
    database = new DatabaseSync(path, { timeout: 0 });
    prepareDatabase(database, path);
    chmodSync(path, 0o600);
    if (maxBytes !== undefined) {
      const pageSize = Number(database.prepare('PRAGMA page_size').get()?.['page_size']);
      database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / pageSize))}`);
    }
    return database;
  } catch (error) {
    database?.close();
    throw sqliteFailure(error, path);
  }
}

/**
 * Makes the file unless it exists. One that exists is never opened here: closing it would drop the
 * locks this process has on it.
 */
function createPrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error;
  }
}

function prepareDatabase(database: DatabaseSync, path: string): void {
  // Nothing is written before the lock is held and the file is known to be a store.
  database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  const { objects, id, version } = database
    .prepare(
      `SELECT (SELECT count(*) FROM sqlite_schema) AS objects, application_id AS id,
              user_version AS version
       FROM pragma_application_id, pragma_user_version`,
    )
    .get() as { objects: number; id: number; version: number };
  if (id !== applicationId && (objects > 0 || id !== 0 || version !== 0)) {
    throw new TaplineError('store_corrupt', `${path} is a database, but not one of a store`, {
      details: { path, applicationId: id },
    });
  }
  if (version > schemaVersion) {
    throw new TaplineError(
      'store_version_unsupported',
      `${path} has schema version ${version}, newer than the supported version ${schemaVersion}`,
      {
        hint: 'run the release that wrote it, or a later one',
        details: { path, found: version, supported: schemaVersion },
      },
    );
  }
  if (version === 0) {
    database.exec(
      `CREATE TABLE change (
         revision INTEGER PRIMARY KEY,
         create_revision INTEGER NOT NULL,
         key TEXT NOT NULL,
         value TEXT
       ) STRICT;
       CREATE TABLE compaction (revision INTEGER NOT NULL) STRICT;
       INSERT INTO compaction VALUES (0);
       PRAGMA application_id = ${applicationId};
       PRAGMA user_version = ${schemaVersion}`,
    );
  }
  database.exec('COMMIT; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  const [check] = database.prepare('PRAGMA quick_check(1)').all();
  if (check?.['quick_check'] !== 'ok') {
    throw new TaplineError(
      'store_corrupt',
      `${path} is damaged: ${String(check?.['quick_check'])}`,
      {
        hint: 'restore it from a backup',
        details: { path },
      },
    );
  }
}
