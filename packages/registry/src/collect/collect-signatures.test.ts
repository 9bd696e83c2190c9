import { utimes } from 'node:fs/promises';
import { ManualClock } from '@tapline/base';
import type { Digest } from '@tapline/oci';
import { temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RunningRegistry, startRegistry } from '../start-registry.ts';
import { type RawClient, rawClient, sha256Of } from '../testing/raw-client.ts';

const hour = 3_600_000;
const config = Buffer.from('{"a":"config"}');
const layer = Buffer.from('a layer');
const payload = Buffer.from('what was signed');

let folder: TemporaryFolder;
let clock: ManualClock;
let registry: RunningRegistry;
let client: RawClient;

beforeEach(async () => {
  folder = await temporaryFolder();
  clock = new ManualClock();
  registry = await startRegistry({ directory: folder.path, authorize: () => 'allowed', clock });
  client = rawClient(registry.url);
  for (const bytes of [config, layer, payload]) await client.pushBlob('a', bytes);
});
afterEach(async () => {
  await registry[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

function tagFor(digest: Digest, suffix: string): string {
  return `${digest.replace(':', '-')}.${suffix}`;
}

async function status(reference: string): Promise<number> {
  return (await fetch(client.at(`/v2/a/manifests/${reference}`), { method: 'HEAD' })).status;
}

async function remove(reference: string): Promise<number> {
  return (await fetch(client.at(`/v2/a/manifests/${reference}`), { method: 'DELETE' })).status;
}

/** An image with a signature and an attestation, and a signature of the signature. */
async function pushSigned(): Promise<{ image: Digest; all: readonly Digest[]; tags: string[] }> {
  const { digest: image } = await client.pushManifest('a', 'v1', [config, layer]);
  const sig = tagFor(image, 'sig');
  const signature = await client.pushManifest('a', sig, [config, payload]);
  const att = tagFor(image, 'att');
  const attestation = await client.pushManifest('a', att, [payload]);
  const again = tagFor(signature.digest, 'sig');
  const third = await client.pushManifest('a', again, [config]);
  const all = [image, signature.digest, attestation.digest, third.digest];
  return { image, all, tags: [sig, att, again] };
}

async function age(all: readonly Digest[]): Promise<void> {
  for (const digest of [...all, ...[config, layer, payload].map(sha256Of)]) {
    await utimes(registry.blobs.pathOf(digest), 0, 0);
  }
  await clock.advance(hour + 1);
}

test('deleting an image deletes what cosign put beside it', async () => {
  const { all, image, tags } = await pushSigned();
  expect(await remove(image)).toBe(202);
  for (const reference of [...all, ...tags]) expect(await status(reference)).toBe(404);
  await age(all);
  expect(await registry.admin.collect()).toMatchObject({ links: 3, blobs: 7 });
});

test('what else has a name of its own, or belongs to another image, stays', async () => {
  const { all, image, tags } = await pushSigned();
  const [, signature = image] = all;
  // The same bytes under a tag that people use.
  await client.pushManifest('a', 'kept', [config, payload]);
  const other = tagFor(sha256Of(Buffer.from('an image of another repository')), 'sig');
  await client.pushManifest('a', other, [config, layer, payload]);
  expect(await remove(image)).toBe(202);
  expect(await status(signature)).toBe(200);
  expect(await status('kept')).toBe(200);
  expect(await status(tags[1] ?? '')).toBe(404);
  await age(all);
  await registry.admin.collect({ untagged: true, graceMs: 0 });
  expect(await status('kept')).toBe(200);
  expect(await status(other)).toBe(200);
});

test('collecting an image without a tag collects them, and a dry run says so', async () => {
  const { all } = await pushSigned();
  await age(all);
  expect(await registry.admin.collect({ untagged: true })).toMatchObject({ manifests: 0 });
  expect(await remove('v1')).toBe(202);
  expect(await registry.admin.collect()).toMatchObject({ manifests: 0 });
  const plan = await registry.admin.collect({ untagged: true, dryRun: true });
  expect(plan).toMatchObject({ manifests: 4, links: 3, blobs: 7 });
  expect(await registry.admin.collect({ untagged: true })).toMatchObject({
    ...plan,
    dryRun: false,
    digests: expect.any(Array) as string[],
    durationMs: expect.any(Number) as number,
  });
  for (const reference of all) expect(await status(reference)).toBe(404);
});

test('a signature that was pushed just now is not collected with its image', async () => {
  const { digest: image } = await client.pushManifest('a', 'v1', [config, layer]);
  await age([image]);
  expect(await remove('v1')).toBe(202);
  await client.pushManifest('a', tagFor(image, 'sig'), [config, payload]);
  expect(await registry.admin.collect({ untagged: true })).toMatchObject({ manifests: 1 });
  expect(await status(tagFor(image, 'sig'))).toBe(200);
});
