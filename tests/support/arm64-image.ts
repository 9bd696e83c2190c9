import { createHash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import {
  type ContainerConfig,
  type Digest,
  encodeManifest,
  encodeTar,
  mediaTypes,
  parseDigest,
  type TarMember,
} from '@tapline/oci';
import type { RegistryClient } from '@tapline/registry';

/** Pushes an image for linux/arm64 with a layer of gzip and one of zstd. */
export async function pushArm64Image(
  client: RegistryClient,
  image: {
    readonly repository: string;
    readonly tag: string;
    /** Members of the two layers. */
    readonly layers: readonly [readonly TarMember[], readonly TarMember[]];
    readonly config: ContainerConfig;
  },
): Promise<Digest> {
  const [first, second] = image.layers.map((members) => Buffer.concat([...encodeTar(members)]));
  if (first === undefined || second === undefined) throw new Error('an image has two layers here');
  const config = {
    architecture: 'arm64',
    os: 'linux',
    config: image.config,
    rootfs: { type: 'layers', diff_ids: [digestOf(first), digestOf(second)] },
  };
  const mediaType = mediaTypes.ociManifest;
  const bytes = encodeManifest({
    schemaVersion: 2,
    mediaType,
    config: await put(Buffer.from(JSON.stringify(config)), mediaTypes.ociConfig),
    layers: [
      await put(gzipSync(first), mediaTypes.ociLayerTarGzip),
      await put(zstdCompressSync(second), mediaTypes.ociLayerTarZstd),
    ],
  });
  return await client.pushManifest(image.repository, { reference: image.tag, mediaType, bytes });

  async function put(content: Uint8Array, type: string) {
    const blob = { digest: digestOf(content), size: content.length, mediaType: type };
    async function* open(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(content);
    }
    await client.pushBlob(image.repository, { ...blob, open });
    return blob;
  }
}

function digestOf(bytes: Uint8Array): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
}
