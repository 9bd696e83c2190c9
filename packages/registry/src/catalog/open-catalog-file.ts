import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { TaplineError } from '@tapline/base';
import { catalogSchema, catalogVersion } from './catalog-schema.ts';

/** The file of a catalog, made where there is none. WAL, so that reading never waits for writing. */
export function openCatalogFile(directory: string): DatabaseSync {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'registry.sqlite');
  const database = new DatabaseSync(path);
  try {
    // WAL alone survives a killed process; FULL makes each commit survive a power failure.
    database.exec(
      'PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;',
    );
    const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
    if (version > catalogVersion) {
      throw new TaplineError(
        'registry_version_unsupported',
        `${path} has version ${version}, newer than the supported ${catalogVersion}`,
        { hint: 'run the release that wrote it, or a later one' },
      );
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Makes the tables of this version. Those of version 1 are put aside as `old_…`, for
 * {@link takeUpOldCatalog}, after which the version is set.
 */
export function prepareCatalog(database: DatabaseSync): { readonly isOld: boolean } {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  if (version === catalogVersion) return { isOld: false };
  const has = (table: string): boolean =>
    database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(table) !== undefined;
  const isAside = has('old_manifest');
  const isOld = isAside || has('manifest');
  database.exec('BEGIN IMMEDIATE');
  if (isOld && !isAside) {
    database.exec(`
      DROP INDEX manifest_subject; DROP INDEX tag_digest;
      ALTER TABLE blob RENAME TO old_blob; ALTER TABLE manifest RENAME TO old_manifest;
      ALTER TABLE tag RENAME TO old_tag;`);
  }
  database.exec(catalogSchema);
  if (!isOld) database.exec(setCatalogVersion);
  database.exec('COMMIT');
  return { isOld };
}

export const setCatalogVersion: string = `PRAGMA user_version = ${catalogVersion}`;
