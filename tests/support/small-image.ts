import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type Digest, encodeManifest, mediaTypes, parseDigest } from '@tapline/oci';
import type { RegistryClient } from '@tapline/registry';

/** Pushes an image of one empty layer, and answers its digest. */
export async function pushSmallImage(
  client: RegistryClient,
  at: { readonly repository: string; readonly tag: string },
): Promise<Digest> {
  const tar = Buffer.alloc(1024);
  const layer = await put(gzipSync(tar), mediaTypes.ociLayerTarGzip);
  const config = {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
  };
  const mediaType = mediaTypes.ociManifest;
  const bytes = encodeManifest({
    schemaVersion: 2,
    mediaType,
    config: await put(Buffer.from(JSON.stringify(config)), mediaTypes.ociConfig),
    layers: [layer],
  });
  return await client.pushManifest(at.repository, { reference: at.tag, mediaType, bytes });

  async function put(content: Uint8Array, type: string) {
    const blob = { digest: digestOf(content), size: content.length, mediaType: type };
    async function* open(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(content);
    }
    await client.pushBlob(at.repository, { ...blob, open });
    return blob;
  }
}

function digestOf(bytes: Uint8Array): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
}
