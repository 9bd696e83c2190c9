/** Raised whenever the tables change; `open-catalog-file.ts` takes up what is older. */
export const catalogVersion = 2;

/**
 * `content` counts in how many repositories something is, `total` sums it up; `need` says which manifest needs what, so
 * that garbage is found without reading a manifest. Times are wall milliseconds.
 */
export const catalogSchema = `
  CREATE TABLE IF NOT EXISTS content (
    digest TEXT PRIMARY KEY, size INTEGER NOT NULL, links INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS total (contents INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
  INSERT INTO total SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM total);
  CREATE TABLE IF NOT EXISTS repository (
    name TEXT PRIMARY KEY, bytes INTEGER NOT NULL, blobs INTEGER NOT NULL, manifests INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS blob (
    repository TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, touched INTEGER NOT NULL,
    PRIMARY KEY (repository, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS blob_digest ON blob (digest);
  CREATE TABLE IF NOT EXISTS manifest (
    repository TEXT NOT NULL, digest TEXT NOT NULL, descriptor TEXT NOT NULL, subject TEXT,
    touched INTEGER NOT NULL,
    PRIMARY KEY (repository, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS manifest_digest ON manifest (digest);
  CREATE INDEX IF NOT EXISTS manifest_subject ON manifest (repository, subject)
    WHERE subject IS NOT NULL;
  CREATE TABLE IF NOT EXISTS need (
    repository TEXT NOT NULL, digest TEXT NOT NULL, manifest TEXT NOT NULL,
    PRIMARY KEY (repository, digest, manifest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS need_manifest ON need (repository, manifest);
  CREATE TABLE IF NOT EXISTS tag (
    repository TEXT NOT NULL, tag TEXT NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (repository, tag)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS tag_digest ON tag (repository, digest);
`;
