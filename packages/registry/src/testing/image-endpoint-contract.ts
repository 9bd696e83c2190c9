import { digestBytes, encodeManifest, mediaTypes } from '@tapline/oci';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isReferrersTag } from '../client/referrers-tag.ts';
import type { ImageEndpoint } from '../copy/image-endpoint.ts';
import { sha256 } from '../storage/sha256.ts';
import { pushSampleImage } from './sample-image.ts';

export interface OpenEndpoint extends AsyncDisposable {
  readonly endpoint: ImageEndpoint;
}

/** What holds for every place that images are copied to and from. */
export function imageEndpointContract(open: () => Promise<OpenEndpoint>): void {
  let opened: OpenEndpoint;
  let endpoint: ImageEndpoint;
  beforeEach(async () => {
    opened = await open();
    ({ endpoint } = opened);
  });
  afterEach(() => opened[Symbol.asyncDispose]());

  async function read(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of source) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  test('has what was pushed, by tag and by digest', async () => {
    const image = await pushSampleImage(endpoint, { repository: 'team/a', tag: 'v1' });
    expect((await endpoint.resolve('team/a', 'v1'))?.digest).toBe(image.index);
    const { manifest, bytes, digest } = await endpoint.manifest('team/a', 'v1');
    expect(digestBytes(bytes, sha256)).toBe(digest);
    expect(manifest.kind === 'index' && manifest.index.manifests).toHaveLength(2);
    const child = await endpoint.manifest('team/a', image.manifests[0] ?? '');
    const layers = child.manifest.kind === 'manifest' ? child.manifest.manifest.layers : [];
    expect(layers).toHaveLength(2);
    for (const layer of layers) {
      expect(await endpoint.hasBlob('team/a', layer.digest)).toBe(true);
      expect(digestBytes(await read(endpoint.blob('team/a', layer)), sha256)).toBe(layer.digest);
    }
    expect((await endpoint.tags('team/a')).filter((tag) => !isReferrersTag(tag))).toEqual(['v1']);
  });

  test('lists what refers to a manifest, with its type', async () => {
    const image = await pushSampleImage(endpoint, { repository: 'team/a', tag: 'v1' });
    const [subject] = image.manifests;
    if (subject === undefined) throw new Error('no manifest');
    const artifactType = 'application/vnd.example.signature';
    const found = [expect.objectContaining({ digest: image.signature, artifactType })];
    expect(await endpoint.referrers('team/a', subject)).toEqual(found);
    expect(await endpoint.referrers('team/a', subject, { artifactType })).toEqual(found);
    expect(await endpoint.referrers('team/a', subject, { artifactType: 'text/x' })).toEqual([]);
    expect(await endpoint.referrers('team/a', image.index)).toEqual([]);
    // Pushed again it is still one.
    await pushSampleImage(endpoint, { repository: 'team/a', tag: 'v1' });
    expect(await endpoint.referrers('team/a', subject)).toEqual(found);
  });

  test('takes a blob once, and not one that is another', async () => {
    const bytes = Buffer.from('content');
    async function* content(): AsyncGenerator<Uint8Array, void> {
      yield await Promise.resolve(bytes);
    }
    const blob = { digest: digestBytes(bytes, sha256), size: bytes.length, open: content };
    expect(await endpoint.hasBlob('team/a', blob.digest)).toBe(false);
    expect(await endpoint.pushBlob('team/a', blob)).toBe('uploaded');
    expect(await endpoint.pushBlob('team/a', blob)).toBe('present');
    const other = digestBytes(Buffer.from('different'), sha256);
    await expect(endpoint.pushBlob('team/a', { ...blob, digest: other })).rejects.toMatchObject({
      code: 'digest_mismatch',
    });
    expect(await endpoint.hasBlob('team/a', other)).toBe(false);
  });

  test('moves a tag and drops it; what is not there is not found', async () => {
    const one = await pushSampleImage(endpoint, { repository: 'team/a', tag: 'v1', seed: 1 });
    const two = await pushSampleImage(endpoint, { repository: 'team/a', tag: 'v1', seed: 2 });
    expect(two.index).not.toBe(one.index);
    expect((await endpoint.resolve('team/a', 'v1'))?.digest).toBe(two.index);
    const empty = encodeManifest({
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [],
    });
    const tagged = { reference: 'v2', mediaType: mediaTypes.ociIndex, bytes: empty };
    await endpoint.pushManifest('team/a', tagged);
    expect(await endpoint.deleteManifest('team/a', digestBytes(empty, sha256))).toBe(true);
    expect(await endpoint.resolve('team/a', 'v2')).toBeUndefined();
    expect(await endpoint.resolve('team/a', 'none')).toBeUndefined();
    await expect(endpoint.manifest('team/a', 'none')).rejects.toMatchObject({
      code: 'manifest_unknown',
    });
  });
}
