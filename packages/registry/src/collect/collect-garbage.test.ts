import { stat, utimes, writeFile } from 'node:fs/promises';
import { ManualClock } from '@tapline/base';
import { temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import type { Digest } from '@tapline/oci';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunningRegistry, startRegistry } from '../start-registry.ts';
import { type RawClient, rawClient, sha256Of } from '../testing/raw-client.ts';

const hour = 3_600_000;
const config = Buffer.from('{"a":"config"}');
const layer = Buffer.from('a layer');
const orphan = Buffer.from('what no manifest needs');

let folder: TemporaryFolder;
let clock: ManualClock;
let registry: RunningRegistry;
let client: RawClient;

async function start(): Promise<void> {
  registry = await startRegistry({ directory: folder.path, authorize: () => 'allowed', clock });
  client = rawClient(registry.url);
}

beforeEach(async () => {
  folder = await temporaryFolder();
  clock = new ManualClock();
  await start();
});
afterEach(async () => {
  await registry[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function head(repository: string, bytes: Uint8Array): Promise<number> {
  const path = `/v2/${repository}/blobs/${sha256Of(bytes)}`;
  return (await fetch(client.at(path), { method: 'HEAD' })).status;
}

/** Files are as old as the clock says, whose time is not that of the file system. */
async function age(...contents: readonly Uint8Array[]): Promise<void> {
  for (const bytes of contents) await ageDigest(sha256Of(bytes));
}

async function ageDigest(digest: Digest): Promise<void> {
  await utimes(registry.blobs.pathOf(digest), 0, 0);
}

test('what a manifest needs stays, the rest goes when nobody counted on it for an hour', async () => {
  for (const bytes of [config, layer, orphan]) await client.pushBlob('a', bytes);
  expect((await client.pushManifest('a', 'v1', [config, layer])).status).toBe(201);
  await age(config, layer, orphan);
  expect(await registry.admin.collect()).toMatchObject({
    links: 0,
    held: [{ reason: 'recent', blobs: 1, bytes: orphan.length }],
  });
  await clock.advance(hour + 1);
  const plan = await registry.admin.collect({ dryRun: true });
  expect(plan).toMatchObject({ links: 1, blobs: 1, bytes: orphan.length, held: [] });
  expect(await head('a', layer)).toBe(200);
  expect(await registry.admin.collect({ graceMs: 0 })).toMatchObject({
    ...plan,
    dryRun: false,
    durationMs: expect.any(Number),
  });
  expect(await head('a', orphan)).toBe(404);
  expect(await head('a', layer)).toBe(200);
  await expect(stat(registry.blobs.pathOf(sha256Of(orphan)))).rejects.toThrow('ENOENT');
});

test('a client that was told a blob is here has an hour to refer to it, also over a restart', async () => {
  await client.pushBlob('a', config);
  await age(config);
  await clock.advance(hour + 1);
  expect(await head('a', config)).toBe(200);
  await registry[Symbol.asyncDispose]();
  await start();
  expect(await registry.admin.collect()).toMatchObject({ links: 0, blobs: 0 });
  expect((await client.pushManifest('a', 'v1', [config])).status).toBe(201);
  await clock.advance(2 * hour);
  expect(await registry.admin.collect()).toMatchObject({ links: 0, blobs: 0, held: [] });
});

test('an upload under way keeps what its repository has, and ends when nobody goes on', async () => {
  await client.pushBlob('a', config);
  await age(config);
  await client.openUpload('a');
  await clock.advance(2 * hour);
  expect(await registry.admin.collect()).toMatchObject({
    links: 0,
    uploads: 0,
    held: [{ reason: 'upload', blobs: 1 }],
  });
  await clock.advance(24 * hour);
  expect(await registry.admin.collect()).toMatchObject({ links: 1, blobs: 1, uploads: 1 });
});

test('a manifest that comes after its blob was collected is refused', async () => {
  await client.pushBlob('a', config);
  await registry.admin.collect({ graceMs: 0 });
  expect((await client.pushManifest('a', 'v1', [config])).status).toBe(404);
});

test('the hour of what a deleted manifest needed begins with the deletion', async () => {
  await client.pushBlob('a', config);
  const { digest } = await client.pushManifest('a', 'v1', [config]);
  await age(config);
  await ageDigest(digest);
  await clock.advance(2 * hour);
  await fetch(client.at(`/v2/a/manifests/${digest}`), { method: 'DELETE' });
  // The manifest itself is of no use to anyone.
  expect(await registry.admin.collect()).toMatchObject({ links: 0, blobs: 1 });
  await clock.advance(hour + 1);
  expect(await registry.admin.collect()).toMatchObject({ links: 1, blobs: 1 });
});

describe('untagged manifests', () => {
  test('stay unless asked for; then those go that nothing leads to, and their blobs', async () => {
    for (const bytes of [config, layer, orphan]) await client.pushBlob('a', bytes);
    const old = await client.pushManifest('a', 'v1', [config, orphan]);
    const { digest } = await client.pushManifest('a', 'v1', [config, layer]);
    const subject = { mediaType: 'application/vnd.oci.image.manifest.v1+json', size: 1 };
    const kept = Buffer.from('needed by a signature');
    await client.pushBlob('a', kept);
    // By digest, so without a tag: it stays with its subject.
    const signature = await client.pushManifest('a', 'sig', [config, kept], {
      subject: { ...subject, digest },
    });
    await fetch(client.at('/v2/a/manifests/sig'), { method: 'DELETE' });
    expect(await registry.admin.collect({ graceMs: 0 })).toMatchObject({ manifests: 0, links: 0 });
    for (const each of [old.digest, sha256Of(orphan)]) await ageDigest(each);
    const plan = await registry.admin.collect({ graceMs: 0, untagged: true, dryRun: true });
    expect(plan).toMatchObject({ manifests: 1, links: 1, blobs: 2 });
    expect(plan.digests).toEqual(expect.arrayContaining([old.digest, sha256Of(orphan)]));
    const done = await registry.admin.collect({ graceMs: 0, untagged: true });
    expect(done).toMatchObject({ manifests: 1, links: 1, blobs: 2, bytes: plan.bytes });
    for (const reference of [digest, signature.digest]) {
      expect((await fetch(client.at(`/v2/a/manifests/${reference}`))).status).toBe(200);
    }
    expect((await fetch(client.at(`/v2/a/manifests/${old.digest}`))).status).toBe(404);
  });
});

test('content that was put into the store and not linked goes only when it is old', async () => {
  await using writer = await registry.blobs.openWriter();
  await writer.write(orphan);
  const { digest } = await writer.commit();
  await age(orphan);
  expect(await registry.admin.collect()).toMatchObject({ blobs: 0 });
  await clock.advance(hour + 1);
  const lease = await registry.blobs.leases.hold(digest);
  expect(await registry.admin.collect()).toMatchObject({ held: [{ reason: 'in-use' }] });
  lease[Symbol.dispose]();
  expect(await registry.admin.collect()).toMatchObject({ blobs: 1 });
});

test('one collection runs at a time', async () => {
  const first = registry.admin.collect();
  await expect(registry.admin.collect()).rejects.toMatchObject({ code: 'collection_running' });
  await first;
});

test('a scrub withdraws what is damaged, and a replica or a push brings it back', async () => {
  for (const bytes of [config, layer]) await client.pushBlob('a', bytes);
  await client.pushManifest('a', 'v1', [config, layer]);
  const path = registry.blobs.pathOf(sha256Of(layer));
  await writeFile(path, 'A LAYER');
  const events = [];
  for await (const event of registry.admin.scrub()) events.push(event);
  expect(events).toMatchObject([
    { kind: 'damaged', digest: sha256Of(layer), repositories: ['a'], outcome: 'withdrawn' },
    { kind: 'done', blobs: 3, damaged: 1, repaired: 0 },
  ]);
  expect(await head('a', layer)).toBe(404);
  expect((await client.pushBlob('a', layer)).status).toBe(201);
  expect(await (await fetch(client.at(`/v2/a/blobs/${sha256Of(layer)}`))).text()).toBe('a layer');
});
