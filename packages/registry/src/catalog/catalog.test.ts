import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { parseDigest } from '@tapline/oci';
import { temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Catalog } from './catalog.ts';
import type { Quota } from './quota.ts';

const digest = (digit: string) => parseDigest(`sha256:${digit.repeat(64)}`);
let folder: TemporaryFolder;

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  await folder[Symbol.asyncDispose]();
});

function open(quotas: readonly Quota[] = [], manifest = ''): Promise<Catalog> {
  return Catalog.open({
    directory: folder.path,
    quotas,
    readManifest: () => Promise.resolve(Buffer.from(manifest)),
    sizeOf: () => Promise.resolve(10),
    now: () => 5,
  });
}

async function link(catalog: Catalog, repository: string, digit: string): Promise<number> {
  const blob = { digest: digest(digit), size: 10 };
  return await catalog.write({ kind: 'link-blob', repository, blob, now: 1 });
}

test('quotas hold for a repository, for all below a path, and for everything', async () => {
  await using catalog = await open([
    { scope: 'team', limitBytes: 25 },
    { scope: '*', limitBytes: 30 },
  ]);
  expect(await link(catalog, 'team/a', '1')).toBe(1);
  expect(await link(catalog, 'team/a', '1')).toBe(0);
  await link(catalog, 'team', '2');
  const refused = { code: 'quota_exceeded', details: { scope: 'team', usedBytes: 20, size: 10 } };
  await expect(link(catalog, 'team/b', '3')).rejects.toMatchObject(refused);
  expect(() => catalog.assertRoom('team/b', 6)).toThrow(/team to 26 of 25 bytes/);
  // Another's; and what both have counts once in all.
  await link(catalog, 'teams', '1');
  await link(catalog, 'teams', '3');
  await expect(link(catalog, 'x', '4')).rejects.toMatchObject({ code: 'quota_exceeded' });
  expect(catalog.counts()).toMatchObject({ contents: 3, bytes: 30, repositories: 3 });
  // Writes that share a commit with a refused one are carried out.
  const both = await Promise.allSettled([link(catalog, 'x', '4'), link(catalog, 'x', '1')]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
});

test('a blob that a manifest needs is not deleted, and is counted off when it goes', async () => {
  await using catalog = await open();
  await link(catalog, 'a', '1');
  const descriptor = { mediaType: 'x/y', digest: digest('9'), size: 3 };
  const needs = { blobs: [digest('1')], manifests: [] };
  const image = { repository: 'a', blobs: [], tags: ['v1'], now: 1 };
  const manifests = [{ descriptor, subject: undefined, needs }];
  await catalog.write({ kind: 'put-image', ...image, manifests });
  const remove = { kind: 'delete-blob', repository: 'a', digest: digest('1') } as const;
  await expect(catalog.write(remove)).rejects.toMatchObject({ code: 'blob_in_use' });
  await catalog.write({ kind: 'delete-manifest', repository: 'a', digest: digest('9'), now: 2 });
  expect(await catalog.write(remove)).toBe(1);
  expect(catalog.counts()).toMatchObject({ contents: 0, bytes: 0, repositories: 0, tags: 0 });
});

test('a catalog of the first version is taken up with what its manifests need', async () => {
  const old = new DatabaseSync(join(folder.path, 'registry.sqlite'));
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/json', digest: digest('1'), size: 10 },
    layers: [],
  });
  const descriptor = JSON.stringify({ mediaType: 'x/y', digest: digest('9'), size: 10 });
  old.exec(`
    CREATE TABLE blob (repository TEXT, digest TEXT, PRIMARY KEY (repository, digest));
    CREATE TABLE manifest (repository TEXT, digest TEXT, descriptor TEXT, subject TEXT);
    CREATE INDEX manifest_subject ON manifest (repository, subject);
    CREATE TABLE tag (repository TEXT, tag TEXT, digest TEXT);
    CREATE INDEX tag_digest ON tag (repository, digest);
    INSERT INTO blob VALUES ('a', '${digest('1')}'), ('a', '${digest('2')}');
    INSERT INTO manifest VALUES ('a', '${digest('9')}', '${descriptor}', NULL);
    INSERT INTO tag VALUES ('a', 'v1', '${digest('9')}');`);
  old.close();
  for (let start = 0; start < 2; start += 1) {
    await using catalog = await open([], manifest);
    expect(catalog.tag('a', 'v1')).toBe(digest('9'));
    expect(catalog.unneededSince('a', digest('1'))).toBeUndefined();
    expect(catalog.unneededSince('a', digest('2'))).toBe(5);
    expect(catalog.counts()).toMatchObject({ contents: 3, bytes: 30, tags: 1, manifests: 1 });
  }
});
