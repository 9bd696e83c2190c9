import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Descriptor,
  type Digest,
  encodeManifest,
  mediaTypes,
  parseManifest,
} from '@tapline/oci';
import type { BlobStore } from '@tapline/registry';
import type { Referrer } from '@tapline/signatures';
import type { BuiltImage } from './built-image.ts';

export interface WriteOciLayoutOptions {
  /** A folder to make, or an image layout to add to the blobs of. */
  readonly directory: string;
  /** The name tools find the image by; its version unless given. */
  readonly refName?: string;
  /** What is attached to it: listed beside it, signatures under the names that cosign looks for. */
  readonly referrers?: readonly Referrer[];
  readonly signal?: AbortSignal | undefined;
}

/** Writes the image as an OCI image layout (OCI image spec 1.1, image-layout.md). */
export async function writeOciLayout(
  store: BlobStore,
  image: BuiltImage,
  { directory, refName = image.packageVersion, referrers = [], signal }: WriteOciLayoutOptions,
): Promise<void> {
  const digests = new Set<Digest>([image.index.digest]);
  for (const { manifest, configDigest, layers } of image.images) {
    for (const digest of [manifest.digest, configDigest, ...layers.map((layer) => layer.digest)]) {
      digests.add(digest);
    }
  }
  for (const { manifest } of referrers) {
    digests.add(manifest.digest);
    for (const digest of await blobsOf(store, manifest.digest)) digests.add(digest);
  }
  for (const digest of digests) {
    signal?.throwIfAborted();
    const target = join(directory, 'blobs', digest.replace(':', '/'));
    await mkdir(join(target, '..'), { recursive: true });
    const partial = `${target}.${randomUUID()}`;
    try {
      await copyFile(store.pathOf(digest), partial);
      await rename(partial, target);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
  }
  const entry: Descriptor = {
    ...image.index,
    annotations: { 'org.opencontainers.image.ref.name': refName },
  };
  await writeFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  // Last: where it is, all it names is.
  const partial = join(directory, `index.json.${randomUUID()}`);
  await writeFile(
    partial,
    encodeManifest({
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [entry, ...referrers.map(referrerEntry)],
    }),
  );
  await rename(partial, join(directory, 'index.json'));
}

function referrerEntry({ manifest, tag }: Referrer): Descriptor {
  if (tag === undefined) return manifest;
  const annotations = { ...manifest.annotations, 'org.opencontainers.image.ref.name': tag };
  return { ...manifest, annotations };
}

async function blobsOf(store: BlobStore, digest: Digest): Promise<readonly Digest[]> {
  const parsed = parseManifest(await readFile(store.pathOf(digest)));
  if (parsed.kind !== 'manifest') return [];
  return [parsed.manifest.config, ...parsed.manifest.layers].map((blob) => blob.digest);
}
