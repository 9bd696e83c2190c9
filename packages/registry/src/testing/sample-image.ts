import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { seededRng } from '@tapline/base';
import {
  type Descriptor,
  type Digest,
  digestBytes,
  encodeManifest,
  type ImageIndex,
  type ImageManifest,
  mediaTypes,
  type Platform,
} from '@tapline/oci';
import type { ImageEndpoint } from '../copy/image-endpoint.ts';
import { sha256 } from '../storage/sha256.ts';

export interface SampleImage {
  readonly index: Digest;
  readonly manifests: readonly Digest[];
  readonly signature: Digest;
  /** Each blob once, in bytes. */
  readonly bytes: number;
  readonly blobs: readonly Digest[];
}

const platforms: readonly Platform[] = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm64' },
];

/**
 * Pushes an index of two platforms that share a layer, and a signature of the first manifest. The
 * same seed gives the same digests.
 */
export async function pushSampleImage(
  endpoint: ImageEndpoint,
  at: {
    readonly repository: string;
    readonly tag: string;
    readonly seed?: number;
    readonly layerBytes?: number;
    readonly labels?: Readonly<Record<string, string>>;
  },
): Promise<SampleImage> {
  const { repository, seed = 1, layerBytes = 20_000 } = at;
  const rng = seededRng(seed);
  const blobs = new Map<Digest, number>();

  async function put(bytes: Uint8Array, mediaType: string): Promise<Descriptor> {
    const blob = { mediaType, digest: digestBytes(bytes, sha256), size: bytes.length };
    blobs.set(blob.digest, blob.size);
    async function* open(): AsyncGenerator<Uint8Array, void> {
      yield await Promise.resolve(bytes);
    }
    await endpoint.pushBlob(repository, { ...blob, open });
    return blob;
  }

  async function layer(): Promise<Descriptor & { readonly diffId: string }> {
    const tar = Buffer.from(Array.from({ length: layerBytes }, () => Math.floor(rng() * 256)));
    const diffId = `sha256:${createHash('sha256').update(tar).digest('hex')}`;
    return { ...(await put(gzipSync(tar), mediaTypes.ociLayerTarGzip)), diffId };
  }

  async function manifest(
    document: ImageIndex | ImageManifest,
    reference?: string,
  ): Promise<Descriptor> {
    const bytes = encodeManifest(document);
    const { mediaType } = document;
    const digest = digestBytes(bytes, sha256);
    await endpoint.pushManifest(repository, { reference: reference ?? digest, mediaType, bytes });
    return { mediaType, digest, size: bytes.length };
  }

  const shared = await layer();
  const children: Descriptor[] = [];
  for (const platform of platforms) {
    const own = await layer();
    const layers = [shared, own].map(({ diffId: _diffId, ...descriptor }) => descriptor);
    const config = {
      ...platform,
      config: { Labels: at.labels ?? {} },
      rootfs: { type: 'layers', diff_ids: [shared.diffId, own.diffId] },
    };
    const child = await manifest({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: await put(Buffer.from(JSON.stringify(config)), mediaTypes.ociConfig),
      layers,
    });
    children.push({ ...child, platform });
  }
  const index = await manifest(
    { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: children },
    at.tag,
  );
  const signature = await manifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType: 'application/vnd.example.signature',
    config: await put(Buffer.from('{}'), mediaTypes.ociEmpty),
    layers: [await put(Buffer.from(`signature ${seed}`), 'text/plain')],
    ...(children[0] !== undefined && { subject: withoutPlatform(children[0]) }),
  });
  return {
    index: index.digest,
    manifests: children.map(({ digest }) => digest),
    signature: signature.digest,
    bytes: blobs.values().reduce((sum, size) => sum + size, 0),
    blobs: [...blobs.keys()],
  };
}

function withoutPlatform({ platform: _platform, ...descriptor }: Descriptor): Descriptor {
  return descriptor;
}
