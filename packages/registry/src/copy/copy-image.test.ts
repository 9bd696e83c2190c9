import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ManualClock, systemClock } from '@tapline/base';
import { parsePlatform } from '@tapline/oci';
import { haveProgram, startDockerRegistry, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { createRegistryClient } from '../client/create-registry-client.ts';
import { isReferrersTag, referrersTag } from '../client/referrers-tag.ts';
import type { RegistryClient } from '../client/registry-client.ts';
import { openOciLayout } from '../layout/open-oci-layout.ts';
import { startRegistry } from '../start-registry.ts';
import { imageEndpointContract, type OpenEndpoint } from '../testing/image-endpoint-contract.ts';
import { pushSampleImage } from '../testing/sample-image.ts';
import { createByteLimiter } from './byte-limiter.ts';
import { copyImage, type CopyProgress } from './copy-image.ts';

const noDebian = haveProgram('docker-registry') ? '' : ' (needs docker-registry)';
const noSkopeo = haveProgram('skopeo') ? '' : ' (needs skopeo)';

interface Opened extends OpenEndpoint {
  readonly endpoint: RegistryClient;
  readonly host: string;
}

async function ownRegistry(): Promise<Opened> {
  await using opened = new AsyncDisposableStack();
  const { path: directory } = opened.use(await temporaryFolder());
  const registry = opened.use(await startRegistry({ directory, authorize: () => 'allowed' }));
  const endpoint = opened.use(createRegistryClient({ baseUrl: registry.url }));
  const owned = opened.move();
  const host = new URL(registry.url).host;
  return { endpoint, host, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function debianRegistry(): Promise<Opened> {
  await using opened = new AsyncDisposableStack();
  const { url, host } = opened.use(await startDockerRegistry());
  const endpoint = opened.use(createRegistryClient({ baseUrl: url }));
  const owned = opened.move();
  return { endpoint, host, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function layout(): Promise<OpenEndpoint & { readonly path: string }> {
  const folder = await temporaryFolder();
  const path = join(folder.path, 'layout');
  const endpoint = await openOciLayout(path, { mustExist: false });
  return { endpoint, path, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

describe('a registry of ours', () => {
  imageEndpointContract(ownRegistry);
});
describe('an OCI image layout', () => {
  imageEndpointContract(layout);
});
describe.skipIf(noDebian !== '')(`Debian's docker-registry${noDebian}`, () => {
  imageEndpointContract(debianRegistry);
});

describe('a copy', () => {
  test('between two registries sends what is missing, and a second one nothing', async () => {
    await using from = await ownRegistry();
    await using to = await ownRegistry();
    const image = await pushSampleImage(from.endpoint, { repository: 'team/a', tag: 'v1' });
    const options = {
      from: { repository: 'team/a', reference: 'v1' },
      to: { repository: 'mirror/a', tag: 'v1' },
      referrers: true,
    };
    const seen: CopyProgress[] = [];
    const copied = await copyImage(from.endpoint, to.endpoint, {
      ...options,
      onProgress: (progress) => seen.push(progress),
    });
    expect(copied).toMatchObject({ digest: image.index, manifests: 3, referrers: 1 });
    expect(copied.uploadedBytes).toBe(image.bytes);
    expect(copied.uploaded.toSorted()).toEqual(image.blobs.toSorted());
    expect(seen.at(-1)).toEqual({
      doneBytes: image.bytes,
      totalBytes: image.bytes,
      doneBlobs: image.blobs.length,
      totalBlobs: image.blobs.length,
    });
    const [signed] = image.manifests;
    if (signed === undefined) throw new Error('no manifest');
    const [signature] = await to.endpoint.referrers('mirror/a', signed);
    expect(signature?.digest).toBe(image.signature);
    const again = await copyImage(from.endpoint, to.endpoint, options);
    expect(again).toMatchObject({ uploaded: [], uploadedBytes: 0 });
    const mounted = await copyImage(from.endpoint, to.endpoint, {
      ...options,
      to: { repository: 'mirror/b', tag: 'v1' },
      mountFrom: () => 'mirror/a',
    });
    expect(mounted).toMatchObject({ uploaded: [], uploadedBytes: 0 });
    expect(mounted.mounted).toHaveLength(image.blobs.length);
  });

  test('of one platform makes a smaller index, and only its blobs are sent', async () => {
    await using from = await ownRegistry();
    await using to = await ownRegistry();
    const image = await pushSampleImage(from.endpoint, { repository: 'a', tag: 'v1' });
    const options = {
      from: { repository: 'a', reference: 'v1' },
      to: { repository: 'a', tag: 'v1' },
      platforms: [parsePlatform('linux/arm64')],
    };
    const copied = await copyImage(from.endpoint, to.endpoint, options);
    expect(copied.digest).not.toBe(image.index);
    expect(copied.uploaded).toHaveLength(3);
    const { manifest } = await to.endpoint.manifest('a', 'v1');
    expect(manifest.kind === 'index' && manifest.index.manifests).toMatchObject([
      { digest: image.manifests[1], platform: { architecture: 'arm64' } },
    ]);
    const none = { ...options, platforms: [parsePlatform('linux/riscv64')] };
    await expect(copyImage(from.endpoint, to.endpoint, none)).rejects.toMatchObject({
      code: 'platform_unsupported',
      message: 'v1 is not for linux/riscv64, only for linux/amd64, linux/arm64',
    });
  });

  test('keeps to the bandwidth that it is given', async () => {
    await using from = await ownRegistry();
    await using to = await ownRegistry();
    const sample = { repository: 'a', tag: 'v1', layerBytes: 200_000 };
    const image = await pushSampleImage(from.endpoint, sample);
    const startMs = systemClock.monotonic();
    await copyImage(from.endpoint, to.endpoint, {
      from: { repository: 'a', reference: 'v1' },
      to: { repository: 'a', tag: 'v1' },
      limiter: createByteLimiter(1_000_000, systemClock),
    });
    const seconds = (systemClock.monotonic() - startMs) / 1000;
    expect(image.bytes).toBeGreaterThan(550_000);
    // A quarter of a second goes at once.
    expect(seconds).toBeGreaterThan(image.bytes / 1_000_000 - 0.3);
    expect(seconds).toBeLessThan(image.bytes / 1_000_000 + 3);
  });

  test('breaks off where it is told to, and goes on there', async () => {
    await using from = await ownRegistry();
    await using to = await ownRegistry();
    const sample = { repository: 'a', tag: 'v1', layerBytes: 100_000 };
    await pushSampleImage(from.endpoint, sample);
    const stop = new AbortController();
    const options = {
      from: { repository: 'a', reference: 'v1' },
      to: { repository: 'a', tag: 'v1' },
      concurrency: 1,
    };
    const broken = copyImage(from.endpoint, to.endpoint, {
      ...options,
      signal: stop.signal,
      onProgress: ({ doneBlobs }) => {
        if (doneBlobs === 2) stop.abort(new Error('enough'));
      },
    });
    await expect(broken).rejects.toThrow('enough');
    expect(await to.endpoint.resolve('a', 'v1')).toBeUndefined();
    const resumed = await copyImage(from.endpoint, to.endpoint, options);
    expect(resumed.present.length).toBeGreaterThanOrEqual(2);
    expect(resumed.uploaded.length).toBeGreaterThanOrEqual(1);
  });

  test.skipIf(noSkopeo !== '')(`into a layout is one that skopeo reads${noSkopeo}`, async () => {
    await using from = await ownRegistry();
    await using to = await layout();
    const image = await pushSampleImage(from.endpoint, { repository: 'a', tag: 'v1' });
    await copyImage(from.endpoint, to.endpoint, {
      from: { repository: 'a', reference: 'v1' },
      to: { repository: '', tag: 'v1' },
      referrers: true,
    });
    const run = promisify(execFile);
    const { stdout } = await run('skopeo', ['inspect', '--raw', `oci:${to.path}:v1`]);
    expect(stdout).toContain(image.manifests[0]);
    const index = JSON.parse(await readFile(join(to.path, 'index.json'), 'utf8')) as {
      manifests: unknown[];
    };
    expect(index.manifests).toHaveLength(2);
    // A file that was changed is noticed when it is read.
    const blob = (image.blobs[0] ?? '').replace(':', '/');
    await writeFile(join(to.path, 'blobs', blob), 'something else');
    await using other = await ownRegistry();
    const back = { from: { repository: '', reference: 'v1' }, to: { repository: 'a', tag: 'v1' } };
    await expect(copyImage(to.endpoint, other.endpoint, back)).rejects.toMatchObject({
      code: 'digest_mismatch',
    });
    await expect(openOciLayout(join(to.path, 'none'), { mustExist: true })).rejects.toMatchObject({
      code: 'layout_unknown',
    });
  });

  test.skipIf(noDebian !== '')(
    `goes to Debian's docker-registry and back with its signature${noDebian}`,
    async () => {
      await using from = await ownRegistry();
      await using debian = await debianRegistry();
      await using back = await ownRegistry();
      const image = await pushSampleImage(from.endpoint, { repository: 'team/a', tag: 'v1' });
      const options = {
        from: { repository: 'team/a', reference: 'v1' },
        to: { repository: 'team/a', tag: 'v1' },
        referrers: true,
      };
      await copyImage(from.endpoint, debian.endpoint, options);
      const [signed] = image.manifests;
      if (signed === undefined) throw new Error('no manifest');
      // It knows nothing of referrers: they stand under a tag.
      const tags = await debian.endpoint.tags('team/a');
      expect(tags.toSorted()).toEqual([referrersTag(signed), 'v1']);
      expect(tags.filter((tag) => !isReferrersTag(tag))).toEqual(['v1']);
      expect(await debian.endpoint.repositories()).toEqual(['team/a']);
      const returned = await copyImage(debian.endpoint, back.endpoint, options);
      expect(returned).toMatchObject({ digest: image.index, referrers: 1 });
      const [signature] = await back.endpoint.referrers('team/a', signed);
      expect(signature?.digest).toBe(image.signature);
    },
  );
});

test('a limiter lets a burst go and then keeps its rate, in order', async () => {
  const clock = new ManualClock(0);
  const limiter = createByteLimiter(1000, clock);
  const passed: string[] = [];
  await limiter.take(250);
  const first = limiter.take(500).then(() => passed.push('first'));
  const second = limiter.take(1000).then(() => passed.push('second'));
  await clock.advance(499);
  expect(passed).toEqual([]);
  await clock.advance(2);
  expect(passed).toEqual(['first']);
  await clock.advance(1000);
  await Promise.all([first, second]);
  expect(passed).toEqual(['first', 'second']);
  expect(() => createByteLimiter(0, clock)).toThrow('lets nothing pass');
});
