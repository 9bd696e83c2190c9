import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { TaplineError } from '@tapline/base';
import type { Digest } from '@tapline/oci';
import type { CatalogWrite, ManifestRecord, SizedDigest } from './catalog-write.ts';
import { type Quota, quotaCovers } from './quota.ts';
import { signatureTagsOf } from './signature-tag.ts';

/** What came of a write: how many things it changed, or why it was refused. */
export type WriteOutcome =
  | { readonly kind: 'done'; readonly changes: number }
  | { readonly kind: 'refused'; readonly error: unknown };

/**
 * Carries out writes on the catalog, synchronously; it lives in a thread. A batch is one commit, in
 * which a write that is refused leaves nothing behind.
 */
export class CatalogWriter {
  readonly #database: DatabaseSync;
  readonly #quotas: readonly Quota[];
  readonly #sql: ReturnType<typeof prepareStatements>;

  constructor(database: DatabaseSync, quotas: readonly Quota[]) {
    this.#database = database;
    this.#quotas = quotas;
    this.#sql = prepareStatements(database);
  }

  apply(writes: readonly CatalogWrite[]): readonly WriteOutcome[] {
    return this.#transact(() => writes.map((write) => this.#attempt(write)));
  }

  /** Stores a manifest of an older catalog, which may come before what it needs. */
  takeUp(old: {
    readonly repository: string;
    readonly manifest: ManifestRecord;
    readonly now: number;
  }): void {
    this.#transact(() => this.#storeManifest(old.repository, old.manifest, old.now));
  }

  #transact<T>(body: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = body();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      // SQLite has rolled back by itself after some errors, a full disk among them.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #attempt(write: CatalogWrite): WriteOutcome {
    this.#database.exec('SAVEPOINT one');
    try {
      const changes = this.#carryOut(write);
      this.#database.exec('RELEASE one');
      return { kind: 'done', changes };
    } catch (error) {
      if (!(error instanceof TaplineError)) throw error;
      this.#database.exec('ROLLBACK TO one; RELEASE one');
      return { kind: 'refused', error };
    }
  }

  #carryOut(write: CatalogWrite): number {
    const { repository } = write;
    switch (write.kind) {
      case 'link-blob':
        return this.#linkBlob(repository, write.blob, write.now);
      case 'touch-blob':
        return Number(this.#sql.touchBlob.run(write.now, repository, write.digest).changes);
      case 'put-image':
        for (const blob of write.blobs) this.#linkBlob(repository, blob, write.now);
        for (const manifest of write.manifests) this.#putManifest(write, manifest);
        for (const { tag, digest } of write.tagged ?? []) {
          this.#sql.putTag.run(repository, tag, digest);
        }
        return write.manifests.length;
      case 'delete-tag':
        return Number(this.#sql.deleteTag.run(repository, write.tag).changes);
      case 'delete-manifest':
        return this.#deleteByHand(repository, write.digest, write.now);
      case 'delete-blob':
        this.#assertUnneeded(repository, write.digest);
        return this.#unlinkBlob(repository, write.digest);
      case 'collect-blobs':
        return count(write.digests, (digest) =>
          this.#sql.isCollectableBlob.get(repository, digest, write.before) === undefined
            ? 0
            : this.#unlinkBlob(repository, digest),
        );
      case 'collect-manifests':
        return count(write.digests, (digest) =>
          this.#collectManifest(repository, digest, write.before),
        );
    }
  }

  #linkBlob(repository: string, blob: SizedDigest, now: number): number {
    if (this.#sql.touchBlob.run(now, repository, blob.digest).changes > 0) return 0;
    this.#sql.insertBlob.run(repository, blob.digest, blob.size, now);
    this.#grow(repository, blob, { blobs: 1, manifests: 0 });
    return 1;
  }

  #unlinkBlob(repository: string, digest: Digest): number {
    const row = this.#sql.deleteBlob.get(repository, digest);
    if (row === undefined) return 0;
    this.#shrink(repository, { digest, size: Number(row['size']) }, { blobs: 1, manifests: 0 });
    return 1;
  }

  #putManifest(
    image: Extract<CatalogWrite, { kind: 'put-image' }>,
    manifest: ManifestRecord,
  ): void {
    const { repository, tags, now } = image;
    this.#assertComplete(repository, manifest.needs);
    this.#storeManifest(repository, manifest, now);
    if (manifest !== image.manifests.at(-1)) return;
    for (const tag of tags) this.#sql.putTag.run(repository, tag, manifest.descriptor.digest);
  }

  #storeManifest(
    repository: string,
    { descriptor, subject, needs }: ManifestRecord,
    now: number,
  ): void {
    const { digest } = descriptor;
    if (this.#sql.touchManifest.run(now, repository, digest).changes > 0) return;
    const text = JSON.stringify(descriptor);
    this.#sql.insertManifest.run(repository, digest, text, subject ?? null, now);
    for (const needed of [...needs.blobs, ...needs.manifests]) {
      this.#sql.insertNeed.run(repository, needed, digest);
    }
    this.#grow(repository, descriptor, { blobs: 0, manifests: 1 });
  }

  #deleteManifest(repository: string, digest: Digest): number {
    const row = this.#sql.deleteManifest.get(repository, digest);
    if (row === undefined) return 0;
    const { size } = JSON.parse(String(row['descriptor'])) as SizedDigest;
    this.#sql.deleteTagsOf.run(repository, digest);
    this.#sql.deleteNeedsOf.run(repository, digest);
    this.#shrink(repository, { digest, size }, { blobs: 0, manifests: 1 });
    return 1;
  }

  #collectManifest(repository: string, digest: Digest, before: number): number {
    if (this.#sql.isCollectableManifest.get(repository, digest, before) === undefined) return 0;
    const deleted = this.#deleteManifest(repository, digest);
    return (
      deleted +
      this.#deleteSignatures(repository, digest, (signature) =>
        this.#collectManifest(repository, signature, before),
      )
    );
  }

  #deleteByHand(repository: string, digest: Digest, now: number): number {
    this.#sql.touchBlobsOf.run(now, repository, digest);
    this.#sql.touchManifestsOf.run(now, repository, digest);
    const deleted = this.#deleteManifest(repository, digest);
    if (deleted === 0) return 0;
    const signatures = this.#deleteSignatures(repository, digest, (signature) =>
      this.#isLoose(repository, signature) ? this.#deleteByHand(repository, signature, now) : 0,
    );
    return deleted + signatures;
  }

  /**
   * Takes the tags of cosign's for a manifest that went, and with `remove` what nothing but they
   * named. Where that stays, its tag does, too: it is looked at again when it is collected.
   */
  #deleteSignatures(
    repository: string,
    digest: Digest,
    remove: (signature: Digest) => number,
  ): number {
    return count(signatureTagsOf(digest), (tag) => {
      const signature = this.#sql.tagged.get(repository, tag)?.['digest'] as Digest | undefined;
      if (signature === undefined) return 0;
      this.#sql.deleteTag.run(repository, tag);
      const removed = remove(signature);
      if (removed === 0) this.#sql.putTag.run(repository, tag, signature);
      return removed;
    });
  }

  /** No tag and no manifest names it. */
  #isLoose(repository: string, digest: Digest): boolean {
    return (
      this.#sql.tagOf.get(repository, digest) === undefined &&
      this.#sql.needOf.get(repository, digest) === undefined
    );
  }

  /** Here and not before: a garbage collection may have come in between. */
  #assertComplete(repository: string, needs: ManifestRecord['needs']): void {
    const missing = [
      ...needs.blobs.filter((digest) => this.#sql.hasBlob.get(repository, digest) === undefined),
      ...needs.manifests.filter(
        (digest) => this.#sql.hasManifest.get(repository, digest) === undefined,
      ),
    ];
    if (missing.length === 0) return;
    throw new TaplineError(
      'manifest_blob_unknown',
      `manifest refers to ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ', …' : ''}, not in ${repository}`,
      { details: { digests: missing } },
    );
  }

  #assertUnneeded(repository: string, digest: Digest): void {
    const row = this.#sql.needOf.get(repository, digest);
    if (row === undefined) return;
    throw new TaplineError(
      'blob_in_use',
      `blob ${digest} is needed by manifest ${String(row['manifest'])} of ${repository}`,
      { hint: 'delete the manifest first', details: { manifest: row['manifest'] } },
    );
  }

  #grow(
    repository: string,
    { digest, size }: SizedDigest,
    counts: { readonly blobs: number; readonly manifests: number },
  ): void {
    const added = this.#sql.addContent.get(digest, size);
    if (Number(added?.['links']) === 1) this.#sql.addToTotal.run(1, size);
    this.#sql.addToRepository.run(repository, size, counts.blobs, counts.manifests);
    for (const quota of this.#quotas) {
      if (!quotaCovers(quota, repository)) continue;
      const usedBytes = this.#usedBytes(quota);
      if (usedBytes <= quota.limitBytes) continue;
      throw quotaExceeded(quota, { repository, digest, usedBytes: usedBytes - size, size });
    }
  }

  #shrink(
    repository: string,
    { digest, size }: SizedDigest,
    counts: { readonly blobs: number; readonly manifests: number },
  ): void {
    this.#sql.dropContent.run(digest);
    if (this.#sql.removeContent.run(digest).changes > 0) this.#sql.addToTotal.run(-1, -size);
    this.#sql.addToRepository.run(repository, -size, -counts.blobs, -counts.manifests);
    this.#sql.removeRepository.run(repository);
  }

  #usedBytes({ scope }: Quota): number {
    const row =
      scope === '*'
        ? this.#sql.bytesOfAll.get()
        : this.#sql.bytesOfScope.get(scope, `${scope}/`, `${scope}0`);
    return Number(row?.['bytes']);
  }
}

function count<T>(items: readonly T[], change: (item: T) => number): number {
  return items.reduce((sum, item) => sum + change(item), 0);
}

/** Thrown where something would bring a scope above its limit. */
export function quotaExceeded(
  { scope, limitBytes }: Quota,
  wanted: {
    readonly repository: string;
    readonly digest?: Digest;
    readonly usedBytes: number;
    readonly size: number;
  },
): TaplineError {
  const { repository, digest, usedBytes, size } = wanted;
  const what = `${size} bytes${digest === undefined ? '' : ` of ${digest}`}`;
  return new TaplineError(
    'quota_exceeded',
    `${what} would bring ${scope === '*' ? 'the registry' : scope} to ${usedBytes + size} of ${limitBytes} bytes`,
    {
      hint: 'delete manifests that are not needed and collect garbage, or raise the quota',
      details: { repository, scope, limitBytes, usedBytes, size },
    },
  );
}

// `/` sorts right before `0`: everything below a path is between the two.
const bytesOfScope =
  'SELECT coalesce(sum(bytes), 0) AS bytes FROM repository WHERE name = ? OR (name > ? AND name < ?)';

function prepareStatements(database: DatabaseSync) {
  const prepare = (sql: string): StatementSync => database.prepare(sql);
  return {
    touchBlob: prepare('UPDATE blob SET touched = ? WHERE repository = ? AND digest = ?'),
    insertBlob: prepare('INSERT INTO blob VALUES (?, ?, ?, ?)'),
    deleteBlob: prepare('DELETE FROM blob WHERE repository = ? AND digest = ? RETURNING size'),
    hasBlob: prepare('SELECT 1 FROM blob WHERE repository = ? AND digest = ?'),
    hasManifest: prepare('SELECT 1 FROM manifest WHERE repository = ? AND digest = ?'),
    touchManifest: prepare('UPDATE manifest SET touched = ? WHERE repository = ? AND digest = ?'),
    insertManifest: prepare('INSERT INTO manifest VALUES (?, ?, ?, ?, ?)'),
    deleteManifest: prepare(
      'DELETE FROM manifest WHERE repository = ? AND digest = ? RETURNING descriptor',
    ),
    touchBlobsOf: prepare(
      `UPDATE blob SET touched = ?1 WHERE repository = ?2 AND digest IN
       (SELECT digest FROM need WHERE repository = ?2 AND manifest = ?3)`,
    ),
    touchManifestsOf: prepare(
      `UPDATE manifest SET touched = ?1 WHERE repository = ?2 AND digest IN
       (SELECT digest FROM need WHERE repository = ?2 AND manifest = ?3)`,
    ),
    insertNeed: prepare('INSERT OR IGNORE INTO need VALUES (?, ?, ?)'),
    needOf: prepare('SELECT manifest FROM need WHERE repository = ? AND digest = ? LIMIT 1'),
    deleteNeedsOf: prepare('DELETE FROM need WHERE repository = ? AND manifest = ?'),
    putTag: prepare('INSERT OR REPLACE INTO tag VALUES (?, ?, ?)'),
    tagged: prepare('SELECT digest FROM tag WHERE repository = ? AND tag = ?'),
    tagOf: prepare('SELECT tag FROM tag WHERE repository = ? AND digest = ? LIMIT 1'),
    deleteTag: prepare('DELETE FROM tag WHERE repository = ? AND tag = ?'),
    deleteTagsOf: prepare('DELETE FROM tag WHERE repository = ? AND digest = ?'),
    isCollectableBlob: prepare(
      `SELECT 1 FROM blob WHERE repository = ?1 AND digest = ?2 AND touched < ?3
       AND NOT EXISTS (SELECT 1 FROM need WHERE repository = ?1 AND digest = ?2)`,
    ),
    isCollectableManifest: prepare(
      `SELECT 1 FROM manifest WHERE repository = ?1 AND digest = ?2 AND touched < ?3
       AND NOT EXISTS (SELECT 1 FROM need WHERE repository = ?1 AND digest = ?2)
       AND NOT EXISTS (SELECT 1 FROM tag WHERE repository = ?1 AND digest = ?2)`,
    ),
    addContent: prepare(
      'INSERT INTO content VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET links = links + 1 RETURNING links',
    ),
    dropContent: prepare('UPDATE content SET links = links - 1 WHERE digest = ?'),
    removeContent: prepare('DELETE FROM content WHERE digest = ? AND links <= 0'),
    addToRepository: prepare(
      `INSERT INTO repository VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET
       bytes = bytes + ?2, blobs = blobs + ?3, manifests = manifests + ?4`,
    ),
    removeRepository: prepare(
      'DELETE FROM repository WHERE name = ? AND blobs = 0 AND manifests = 0',
    ),
    addToTotal: prepare('UPDATE total SET contents = contents + ?, bytes = bytes + ?'),
    bytesOfAll: prepare('SELECT bytes FROM total'),
    bytesOfScope: prepare(bytesOfScope),
  };
}
