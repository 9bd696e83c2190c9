import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Descriptor, Digest } from '@tapline/oci';
import type { CatalogWrite, SizedDigest } from './catalog-write.ts';
import { openCatalogFile, prepareCatalog } from './open-catalog-file.ts';
import { type Quota, quotaCovers } from './quota.ts';
import { quotaExceeded } from './catalog-writer.ts';
import { subjectOfSignatureTag } from './signature-tag.ts';
import { takeUpOldCatalog } from './take-up-old-catalog.ts';
import { WriteThread } from './write-thread.ts';

/** A blob of a repository as garbage collection sees it. */
export interface BlobRow extends SizedDigest {
  readonly repository: string;
  /** When somebody last counted on it, in wall milliseconds. */
  readonly touched: number;
  readonly isNeeded: boolean;
}

/** A manifest of a repository as garbage collection sees it. */
export interface ManifestRow {
  readonly digest: Digest;
  /** What it belongs to: by its own word, or by a tag of cosign's for a manifest that is here. */
  readonly subjects: readonly Digest[];
  readonly touched: number;
  /** By a tag that is more than that. */
  readonly isTagged: boolean;
}

export interface RepositoryRow {
  readonly name: string;
  readonly bytes: number;
  readonly blobs: number;
  readonly manifests: number;
  readonly tags: number;
}

interface CatalogInit {
  readonly directory: string;
  readonly quotas: readonly Quota[];
  /** The bytes of a stored manifest, for a catalog of an older version. */
  readonly readManifest: (digest: Digest) => Promise<Uint8Array>;
  readonly sizeOf: (digest: Digest) => Promise<number | undefined>;
  readonly now: () => number;
}

/**
 * Which repository has which blobs, manifests and tags, in SQLite. Reading is synchronous and sees
 * every write that returned; a write that returned survives the end of the process and of the power.
 */
export class Catalog implements AsyncDisposable {
  readonly quotas: readonly Quota[];
  readonly #database: DatabaseSync;
  readonly #thread: WriteThread;
  readonly #sql: ReturnType<typeof prepareStatements>;

  private constructor(database: DatabaseSync, thread: WriteThread, quotas: readonly Quota[]) {
    this.#database = database;
    this.#thread = thread;
    this.#sql = prepareStatements(database);
    this.quotas = quotas;
  }

  static async open(init: CatalogInit): Promise<Catalog> {
    const { directory, quotas } = init;
    const database = openCatalogFile(directory);
    try {
      if (prepareCatalog(database).isOld) await takeUpOldCatalog(database, init);
      return new Catalog(database, await WriteThread.open({ directory, quotas }), quotas);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Resolves, with how much changed, when the write would survive a power failure. */
  write(write: CatalogWrite): Promise<number> {
    return this.#thread.write(write);
  }

  hasRepository(repository: string): boolean {
    return this.#sql.hasRepository.get(repository) !== undefined;
  }

  /** Bytes of a blob of the repository; undefined where it has none. */
  blobSize(repository: string, digest: Digest): number | undefined {
    const row = this.#sql.blobSize.get(repository, digest);
    return row === undefined ? undefined : Number(row['size']);
  }

  /** Undefined where the repository lacks the blob or a manifest needs it. */
  unneededSince(repository: string, digest: Digest): number | undefined {
    const row = this.#sql.unneededBlob.get(repository, digest);
    return row === undefined ? undefined : Number(row['touched']);
  }

  /** Whether any repository has it, as a blob or as a manifest. */
  hasContent(digest: Digest): boolean {
    return this.#sql.hasContent.get(digest) !== undefined;
  }

  /** Some of the repositories that have it. */
  repositoriesOf(digest: Digest, limit: number): readonly string[] {
    return this.#sql.repositoriesOf
      .all(digest, digest, limit)
      .map((row) => String(row['repository']));
  }

  manifest(repository: string, digest: Digest): Descriptor | undefined {
    const row = this.#sql.manifest.get(repository, digest);
    return row === undefined ? undefined : toDescriptor(row);
  }

  tag(repository: string, tag: string): Digest | undefined {
    return this.#sql.tag.get(repository, tag)?.['digest'] as Digest | undefined;
  }

  /** At most `limit` tags after `last`, in the order of their bytes. */
  tags(
    repository: string,
    page: { readonly last: string; readonly limit: number },
  ): readonly string[] {
    return this.#sql.tags.all(repository, page.last, page.limit).map((row) => String(row['tag']));
  }

  /** At most `limit` descriptors of manifests with that subject, after digest `last`. */
  referrers(
    repository: string,
    subject: Digest,
    page: { readonly last: string; readonly limit: number },
  ): readonly Descriptor[] {
    return this.#sql.referrers.all(repository, subject, page.last, page.limit).map(toDescriptor);
  }

  repositories(page: { readonly last: string; readonly limit: number }): readonly RepositoryRow[] {
    return this.#sql.repositories.all(page.last, page.limit).map((row) => ({
      name: String(row['name']),
      bytes: Number(row['bytes']),
      blobs: Number(row['blobs']),
      manifests: Number(row['manifests']),
      tags: Number(row['tags']),
    }));
  }

  counts(): {
    readonly repositories: number;
    readonly manifests: number;
    readonly tags: number;
    readonly contents: number;
    readonly bytes: number;
  } {
    const row = this.#sql.counts.get();
    return {
      repositories: Number(row?.['repositories']),
      manifests: Number(row?.['manifests']),
      tags: Number(row?.['tags']),
      contents: Number(row?.['contents']),
      bytes: Number(row?.['bytes']),
    };
  }

  /** At most `limit` blobs after one of a repository; a page is short, whatever the catalog holds. */
  blobs(
    after: { readonly repository: string; readonly digest: string },
    limit: number,
  ): readonly BlobRow[] {
    return this.#sql.blobs.all(after.repository, after.digest, limit).map((row) => ({
      repository: String(row['repository']),
      digest: row['digest'] as Digest,
      size: Number(row['size']),
      touched: Number(row['touched']),
      isNeeded: row['needed'] === 1,
    }));
  }

  manifests(repository: string): readonly ManifestRow[] {
    const rows = this.#sql.manifests.all(repository);
    const here = new Set(rows.map((row) => row['digest']));
    const tagged = new Set<Digest>();
    const signed = new Map<Digest, Digest[]>();
    for (const row of this.#sql.allTags.all(repository)) {
      const digest = row['digest'] as Digest;
      const subject = subjectOfSignatureTag(String(row['tag']));
      // Signatures of images in other repositories can be here: they stay, as what is tagged does.
      if (subject === undefined || !here.has(subject)) tagged.add(digest);
      else signed.set(digest, [...(signed.get(digest) ?? []), subject]);
    }
    return rows.map((row) => {
      const digest = row['digest'] as Digest;
      const own = row['subject'] === null ? [] : [row['subject'] as Digest];
      return {
        digest,
        subjects: [...own, ...(signed.get(digest) ?? [])],
        touched: Number(row['touched']),
        isTagged: tagged.has(digest),
      };
    });
  }

  /** What manifests of a repository need. */
  needs(repository: string): readonly { readonly manifest: Digest; readonly digest: Digest }[] {
    return this.#sql.needs.all(repository) as unknown as readonly {
      readonly manifest: Digest;
      readonly digest: Digest;
    }[];
  }

  /** At most `limit` contents after one, for whoever goes through all of them. */
  contents(after: string, limit: number): readonly SizedDigest[] {
    return this.#sql.contents.all(after, limit) as unknown as readonly SizedDigest[];
  }

  usedBytes({ scope }: Quota): number {
    const row =
      scope === '*'
        ? this.#sql.counts.get()
        : this.#sql.bytesOfScope.get(scope, `${scope}/`, `${scope}0`);
    return Number(row?.['bytes']);
  }

  /** Throws `quota_exceeded` where that many more bytes do not fit; a write checks it for certain. */
  assertRoom(repository: string, size: number): void {
    for (const quota of this.quotas) {
      if (!quotaCovers(quota, repository)) continue;
      const usedBytes = this.usedBytes(quota);
      if (usedBytes + size <= quota.limitBytes) continue;
      throw quotaExceeded(quota, { repository, usedBytes, size });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]();
    this.#database.close();
  }
}

function prepareStatements(database: DatabaseSync) {
  const prepare = (sql: string): StatementSync => database.prepare(sql);
  return {
    hasRepository: prepare('SELECT 1 FROM repository WHERE name = ?'),
    blobSize: prepare('SELECT size FROM blob WHERE repository = ? AND digest = ?'),
    unneededBlob: prepare(
      `SELECT touched FROM blob WHERE repository = ?1 AND digest = ?2
       AND NOT EXISTS (SELECT 1 FROM need WHERE repository = ?1 AND digest = ?2)`,
    ),
    hasContent: prepare('SELECT 1 FROM content WHERE digest = ?'),
    repositoriesOf: prepare(
      `SELECT repository FROM blob WHERE digest = ?
       UNION SELECT repository FROM manifest WHERE digest = ? LIMIT ?`,
    ),
    manifest: prepare('SELECT descriptor FROM manifest WHERE repository = ? AND digest = ?'),
    tag: prepare('SELECT digest FROM tag WHERE repository = ? AND tag = ?'),
    tags: prepare('SELECT tag FROM tag WHERE repository = ? AND tag > ? ORDER BY tag LIMIT ?'),
    referrers: prepare(
      `SELECT descriptor FROM manifest WHERE repository = ? AND subject = ? AND digest > ?
       ORDER BY digest LIMIT ?`,
    ),
    repositories: prepare(
      `SELECT name, bytes, blobs, manifests,
         (SELECT count(*) FROM tag WHERE tag.repository = name) AS tags
       FROM repository WHERE name > ? ORDER BY name LIMIT ?`,
    ),
    counts: prepare(
      `SELECT (SELECT count(*) FROM repository) AS repositories,
         (SELECT coalesce(sum(manifests), 0) FROM repository) AS manifests,
         (SELECT count(*) FROM tag) AS tags, contents, bytes FROM total`,
    ),
    blobs: prepare(
      `SELECT repository, digest, size, touched, EXISTS (SELECT 1 FROM need
         WHERE need.repository = blob.repository AND need.digest = blob.digest) AS needed
       FROM blob WHERE (repository, digest) > (?, ?) ORDER BY repository, digest LIMIT ?`,
    ),
    manifests: prepare('SELECT digest, subject, touched FROM manifest WHERE repository = ?'),
    allTags: prepare('SELECT tag, digest FROM tag WHERE repository = ?'),
    needs: prepare('SELECT manifest, digest FROM need WHERE repository = ?'),
    contents: prepare('SELECT digest, size FROM content WHERE digest > ? ORDER BY digest LIMIT ?'),
    bytesOfScope: prepare(
      // `/` sorts right before `0`: everything below a path is between the two.
      'SELECT coalesce(sum(bytes), 0) AS bytes FROM repository WHERE name = ? OR (name > ? AND name < ?)',
    ),
  };
}

function toDescriptor(row: Record<string, unknown>): Descriptor {
  return JSON.parse(String(row['descriptor'])) as Descriptor;
}
