import { createHash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { systemClock, TaplineError } from '@tapline/base';
import { type Digest, encodeManifest, mediaTypes, parseDigest, parseManifest } from '@tapline/oci';
import type { RegistryClient } from '@tapline/registry';
import { expect, test } from 'vitest';
import { createImageSource } from './image-source.ts';

const digestOf = (bytes: Uint8Array): Digest =>
  parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);

/** A registry of one repository, in memory. */
function registry() {
  const blobs = new Map<string, Uint8Array>();
  const manifests = new Map<string, Uint8Array>();
  const put = (content: Uint8Array, mediaType: string) => {
    blobs.set(digestOf(content), content);
    return { digest: digestOf(content), size: content.length, mediaType };
  };
  const client: Pick<RegistryClient, 'manifest' | 'blob'> = {
    manifest(_repository, reference) {
      const bytes = manifests.get(reference);
      if (bytes === undefined) throw new TaplineError('manifest_unknown', `no ${reference}`);
      const manifest = parseManifest(bytes);
      return Promise.resolve({ digest: digestOf(bytes), mediaType: '', bytes, manifest });
    },
    async *blob(_repository, { digest }) {
      yield await Promise.resolve(blobs.get(digest) ?? new Uint8Array());
    },
  };
  return {
    client,
    image: (architecture: string, layers: readonly (readonly [Uint8Array, string])[]) => {
      const config = { architecture, os: 'linux', rootfs: { type: 'layers', diff_ids: [] } };
      const bytes = encodeManifest({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: put(Buffer.from(JSON.stringify(config)), mediaTypes.ociConfig),
        layers: layers.map(([content, mediaType]) => put(content, mediaType)),
      });
      manifests.set(digestOf(bytes), bytes);
      const platform = { os: 'linux', architecture };
      const mediaType = mediaTypes.ociManifest;
      return { digest: digestOf(bytes), size: bytes.length, mediaType, platform };
    },
    tag: (name: string, of: { readonly digest: Digest } | Uint8Array): void => {
      const bytes = of instanceof Uint8Array ? of : manifests.get(of.digest);
      if (bytes === undefined) throw new Error('no such manifest');
      manifests.set(name, bytes);
      manifests.set(digestOf(bytes), bytes);
    },
  };
}

const signal = new AbortController().signal;
const tar = Buffer.alloc(10_000, 'a');
const build = (client: Pick<RegistryClient, 'manifest' | 'blob'>, image: string) =>
  createImageSource({ client, clock: systemClock }).build({
    formula: 'web.image',
    image,
    platforms: ['linux/arm64', 'linux/amd64'],
    signal,
  });

test('an index gives an image a platform, with what its layers take unpacked', async () => {
  const { client, image, tag } = registry();
  const [zipped, zstd] = [gzipSync(tar), zstdCompressSync(tar)];
  const amd64 = image('amd64', [
    [zipped, mediaTypes.ociLayerTarGzip],
    [tar, mediaTypes.ociLayerTar],
  ]);
  const arm64 = image('arm64', [[zstd, `${mediaTypes.ociLayerTar}+zstd`]]);
  tag(
    '1.2',
    encodeManifest({
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [amd64, arm64],
    }),
  );
  const built = await build(client, 'site/web:1.2');
  expect(built).toMatchObject({ version: '1.2', repository: 'site/web', failures: [] });
  expect(built.images).toEqual([
    {
      platform: 'linux/arm64',
      digest: arm64.digest,
      sizeBytes: zstd.length,
      unpackedBytes: 10_000,
      layers: 1,
    },
    {
      platform: 'linux/amd64',
      digest: amd64.digest,
      sizeBytes: zipped.length + 10_000,
      unpackedBytes: 20_000,
      layers: 2,
    },
  ]);
});

test('an image alone is for its own platform, and by digest is called by that', async () => {
  const { client, image, tag } = registry();
  const amd64 = image('amd64', [[tar, mediaTypes.ociLayerTar]]);
  tag('latest', amd64);
  const { images, failures, version } = await build(client, 'web');
  expect(version).toBe('latest');
  expect(images.map(({ platform }) => platform)).toEqual(['linux/amd64']);
  expect(failures).toMatchObject([
    { platform: 'linux/arm64', error: { code: 'platform_unsupported' } },
  ]);
  const byDigest = await build(client, `web@${amd64.digest}`);
  expect(byDigest.version).toBe(amd64.digest.slice(7, 19));
});

test('what is for none of the platforms, of other layers or not there is said so', async () => {
  const { client, image, tag } = registry();
  tag('s390x', image('s390x', []));
  tag('strange', image('amd64', [[tar, 'application/x-squashfs']]));
  await expect(build(client, 'web:s390x')).rejects.toMatchObject({ code: 'platform_unsupported' });
  await expect(build(client, 'web:strange')).rejects.toMatchObject({ code: 'image_invalid' });
  await expect(build(client, 'docker.io/library/web')).rejects.toMatchObject({
    code: 'reference_invalid',
  });
  await expect(build(client, 'web:none')).rejects.toMatchObject({ code: 'manifest_unknown' });
});
