import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Descriptor, Digest } from '@tapline/oci';

/** A manifest of a repository, with what the referrers API says about it. */
export interface ManifestRecord {
  readonly descriptor: Descriptor;
  readonly subject: Digest | undefined;
}

const schema = `
  CREATE TABLE IF NOT EXISTS blob (
    repository TEXT NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (repository, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS manifest (
    repository TEXT NOT NULL, digest TEXT NOT NULL, descriptor TEXT NOT NULL, subject TEXT,
    PRIMARY KEY (repository, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS manifest_subject ON manifest (repository, subject)
    WHERE subject IS NOT NULL;
  CREATE TABLE IF NOT EXISTS tag (
    repository TEXT NOT NULL, tag TEXT NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (repository, tag)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS tag_digest ON tag (repository, digest);
`;

/**
 * Which repository has which blobs, manifests and tags, in SQLite. A write that returned survives
 * the end of the process and of the power.
 */
export class RepositoryIndex implements Disposable {
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof prepareStatements>;

  constructor(directory: string) {
    mkdirSync(directory, { recursive: true });
    this.#database = new DatabaseSync(join(directory, 'registry.sqlite'));
    // WAL alone survives a killed process; FULL makes each commit survive a power failure.
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    this.#database.exec(schema);
    this.#statements = prepareStatements(this.#database);
  }

  /** Whether anything was ever pushed to the repository and is still there. */
  hasRepository(repository: string): boolean {
    return this.#statements.hasRepository.get({ repository }) !== undefined;
  }

  hasBlob(repository: string, digest: Digest): boolean {
    return this.#statements.hasBlob.get(repository, digest) !== undefined;
  }

  linkBlob(repository: string, digest: Digest): void {
    this.#statements.linkBlob.run(repository, digest);
  }

  manifest(repository: string, digest: Digest): ManifestRecord | undefined {
    const row = this.#statements.manifest.get(repository, digest);
    return row === undefined ? undefined : toRecord(row);
  }

  /** Stores a manifest and, in the same transaction, the tag that it was pushed under. */
  putManifest(repository: string, record: ManifestRecord, tag?: string): void {
    const { descriptor, subject } = record;
    this.#transaction(() => {
      this.#statements.putManifest.run(
        repository,
        descriptor.digest,
        JSON.stringify(descriptor),
        subject ?? null,
      );
      if (tag !== undefined) this.#statements.putTag.run(repository, tag, descriptor.digest);
    });
  }

  /** Links blobs and stores manifests, all of an image or nothing; the tag is of the last one. */
  putImage(
    repository: string,
    image: {
      readonly blobs: readonly Digest[];
      readonly manifests: readonly ManifestRecord[];
      readonly tag: string | undefined;
    },
  ): void {
    this.#transaction(() => {
      for (const digest of image.blobs) this.#statements.linkBlob.run(repository, digest);
      for (const { descriptor, subject } of image.manifests) {
        this.#statements.putManifest.run(
          repository,
          descriptor.digest,
          JSON.stringify(descriptor),
          subject ?? null,
        );
      }
      const last = image.manifests.at(-1);
      if (image.tag !== undefined && last !== undefined) {
        this.#statements.putTag.run(repository, image.tag, last.descriptor.digest);
      }
    });
  }

  /** Removes a manifest and its tags; answers whether it was there. */
  deleteManifest(repository: string, digest: Digest): boolean {
    return this.#transaction(() => {
      this.#statements.deleteTagsOf.run(repository, digest);
      return this.#statements.deleteManifest.run(repository, digest).changes > 0;
    });
  }

  deleteTag(repository: string, tag: string): boolean {
    return this.#statements.deleteTag.run(repository, tag).changes > 0;
  }

  tag(repository: string, tag: string): Digest | undefined {
    return this.#statements.tag.get(repository, tag)?.['digest'] as Digest | undefined;
  }

  /** At most `limit` tags after `last`, in the order of their bytes. */
  tags(
    repository: string,
    page: { readonly last: string; readonly limit: number },
  ): readonly string[] {
    return this.#statements.tags
      .all(repository, page.last, page.limit)
      .map((row) => String(row['tag']));
  }

  referrers(repository: string, subject: Digest): readonly Descriptor[] {
    return this.#statements.referrers
      .all(repository, subject)
      .map((row) => toRecord(row).descriptor);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #transaction<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

function prepareStatements(database: DatabaseSync) {
  const prepare = (sql: string): ReturnType<DatabaseSync['prepare']> => database.prepare(sql);
  return {
    hasRepository:
      prepare(`SELECT 1 WHERE EXISTS (SELECT 1 FROM blob WHERE repository = :repository)
      OR EXISTS (SELECT 1 FROM manifest WHERE repository = :repository)`),
    hasBlob: prepare('SELECT 1 FROM blob WHERE repository = ? AND digest = ?'),
    linkBlob: prepare('INSERT OR IGNORE INTO blob VALUES (?, ?)'),
    manifest: prepare(
      'SELECT descriptor, subject FROM manifest WHERE repository = ? AND digest = ?',
    ),
    putManifest: prepare('INSERT OR REPLACE INTO manifest VALUES (?, ?, ?, ?)'),
    deleteManifest: prepare('DELETE FROM manifest WHERE repository = ? AND digest = ?'),
    tag: prepare('SELECT digest FROM tag WHERE repository = ? AND tag = ?'),
    putTag: prepare('INSERT OR REPLACE INTO tag VALUES (?, ?, ?)'),
    deleteTag: prepare('DELETE FROM tag WHERE repository = ? AND tag = ?'),
    deleteTagsOf: prepare('DELETE FROM tag WHERE repository = ? AND digest = ?'),
    tags: prepare('SELECT tag FROM tag WHERE repository = ? AND tag > ? ORDER BY tag LIMIT ?'),
    referrers: prepare(
      'SELECT descriptor, subject FROM manifest WHERE repository = ? AND subject = ? ORDER BY digest',
    ),
  };
}

function toRecord(row: Record<string, unknown>): ManifestRecord {
  return {
    descriptor: JSON.parse(String(row['descriptor'])) as Descriptor,
    subject: row['subject'] === null ? undefined : (row['subject'] as Digest),
  };
}
