import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Digest } from '@tapline/oci';

/** What an upstream said, and when. */
export interface StoredAnswer {
  readonly value: unknown;
  readonly checkedMs: number;
}

export interface StoredManifest {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

const schema = `
  CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY, value TEXT NOT NULL, checked INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS manifest (
    repository TEXT NOT NULL, digest TEXT NOT NULL, media_type TEXT NOT NULL, bytes BLOB NOT NULL,
    used INTEGER NOT NULL, PRIMARY KEY (repository, digest)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS manifest_used ON manifest (used);
`;

// Some 200 MB of manifests; the least used go first.
const maxManifests = 50_000;
const usedStepMs = 3_600_000;

/**
 * Tags and manifests of mirrored registries, in SQLite. A mirror has them before it has the blobs
 * that they refer to, which a registry does not allow. What a power failure loses is asked again.
 */
export class MirrorStore implements Disposable {
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof prepareStatements>;

  constructor(directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#database = new DatabaseSync(join(directory, 'mirror.sqlite'));
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    this.#database.exec(schema);
    this.#statements = prepareStatements(this.#database);
  }

  answer(key: string): StoredAnswer | undefined {
    const row = this.#statements.answer.get(key);
    return row && { value: JSON.parse(String(row['value'])), checkedMs: Number(row['checked']) };
  }

  putAnswer(key: string, { value, checkedMs }: StoredAnswer): void {
    this.#statements.putAnswer.run(key, JSON.stringify(value), Math.floor(checkedMs));
  }

  deleteAnswer(key: string): void {
    this.#statements.deleteAnswer.run(key);
  }

  manifest(repository: string, digest: Digest, nowMs: number): StoredManifest | undefined {
    const row = this.#statements.manifest.get(repository, digest);
    if (row === undefined) return undefined;
    if (nowMs - Number(row['used']) > usedStepMs) {
      this.#statements.touch.run(Math.floor(nowMs), repository, digest);
    }
    return { mediaType: String(row['media_type']), bytes: row['bytes'] as Uint8Array };
  }

  putManifest(
    repository: string,
    manifest: StoredManifest & { readonly digest: Digest },
    nowMs: number,
  ): void {
    const { digest, mediaType, bytes } = manifest;
    this.#statements.putManifest.run(repository, digest, mediaType, bytes, Math.floor(nowMs));
    this.#statements.prune.run(maxManifests);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

function prepareStatements(database: DatabaseSync) {
  const prepare = (sql: string): ReturnType<DatabaseSync['prepare']> => database.prepare(sql);
  return {
    answer: prepare('SELECT value, checked FROM answer WHERE key = ?'),
    putAnswer: prepare('INSERT OR REPLACE INTO answer VALUES (?, ?, ?)'),
    deleteAnswer: prepare('DELETE FROM answer WHERE key = ?'),
    manifest: prepare(
      'SELECT media_type, bytes, used FROM manifest WHERE repository = ? AND digest = ?',
    ),
    putManifest: prepare('INSERT OR REPLACE INTO manifest VALUES (?, ?, ?, ?, ?)'),
    touch: prepare('UPDATE manifest SET used = ? WHERE repository = ? AND digest = ?'),
    prune: prepare(
      `DELETE FROM manifest WHERE rowid IN (
        SELECT rowid FROM manifest ORDER BY used DESC LIMIT -1 OFFSET ?)`,
    ),
  };
}
