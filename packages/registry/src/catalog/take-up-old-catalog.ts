import type { DatabaseSync } from 'node:sqlite';
import { isTaplineError } from '@tapline/base';
import { type Descriptor, type Digest, parseManifest } from '@tapline/oci';
import { CatalogWriter } from './catalog-writer.ts';
import { setCatalogVersion } from './open-catalog-file.ts';
import { needsOf } from './needs-of.ts';

/**
 * Moves what a catalog of version 1 holds into the tables of this version: it did not know what
 * manifests need, nor sizes. Killed on the way, it begins again; content is in one commit with its
 * end.
 */
export async function takeUpOldCatalog(
  database: DatabaseSync,
  old: {
    readonly readManifest: (digest: Digest) => Promise<Uint8Array>;
    readonly sizeOf: (digest: Digest) => Promise<number | undefined>;
    readonly now: () => number;
  },
): Promise<void> {
  const now = Math.floor(old.now());
  const writer = new CatalogWriter(database, []);
  for (const row of database.prepare('SELECT repository, digest FROM old_blob').all()) {
    const repository = String(row['repository']);
    const digest = row['digest'] as Digest;
    const size = await old.sizeOf(digest);
    if (size === undefined) continue;
    writer.apply([{ kind: 'link-blob', repository, blob: { digest, size }, now }]);
  }
  const manifests = database
    .prepare('SELECT repository, digest, descriptor, subject FROM old_manifest')
    .all();
  for (const row of manifests) {
    const repository = String(row['repository']);
    const descriptor = JSON.parse(String(row['descriptor'])) as Descriptor;
    const needs = await readNeeds(descriptor.digest, old.readManifest);
    if (needs === undefined) continue;
    const subject = row['subject'] === null ? undefined : (row['subject'] as Digest);
    // Manifests come in no order, so that an index may come before what it refers to.
    writer.takeUp({ repository, manifest: { descriptor, subject, needs }, now });
  }
  database.exec(`
    BEGIN IMMEDIATE;
    INSERT OR REPLACE INTO tag SELECT repository, tag, digest FROM old_tag
      WHERE EXISTS (SELECT 1 FROM manifest AS m
        WHERE m.repository = old_tag.repository AND m.digest = old_tag.digest);
    DROP TABLE old_blob; DROP TABLE old_manifest; DROP TABLE old_tag;
    ${setCatalogVersion};
    COMMIT;`);
}

async function readNeeds(
  digest: Digest,
  readManifest: (digest: Digest) => Promise<Uint8Array>,
): Promise<ReturnType<typeof needsOf> | undefined> {
  try {
    return needsOf(parseManifest(await readManifest(digest)));
  } catch (error) {
    // A manifest whose content is gone could not be served either.
    if (isTaplineError(error, 'blob_unknown')) return undefined;
    throw error;
  }
}
