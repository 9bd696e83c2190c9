import type { Digest } from '@tapline/oci';
import { parseManifest } from '@tapline/oci';
import type { BlobStore } from '../storage/blob-store.ts';
import { forEachConcurrently } from './for-each-concurrently.ts';
import { readManifestBytes } from '../storage/read-manifest-bytes.ts';
import type { RegistryClient } from './registry-client.ts';

/** What a push sent; the rest was there already. */
export interface PushedImage {
  readonly digest: Digest;
  readonly uploadedBytes: number;
  readonly uploaded: readonly Digest[];
  readonly present: readonly Digest[];
}

export interface PushImageOptions {
  readonly repository: string;
  /** A manifest or an index in the store; what it refers to is in the store too. */
  readonly digest: Digest;
  /** A tag to put on it; by digest alone where left out. */
  readonly tag?: string;
  /** A repository of the registry that probably has some of the blobs. */
  readonly mountFrom?: string;
  /** Blobs under way at once; 4 unless given. */
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
}

/** Pushes an image from a store: blobs first, then manifests, and only what the registry lacks. */
export async function pushImage(
  client: RegistryClient,
  store: BlobStore,
  options: PushImageOptions,
): Promise<PushedImage> {
  const { repository, digest, tag, signal, mountFrom } = options;
  const requestOptions = signal === undefined ? {} : { signal };
  const bytes = await readManifestBytes(store, digest);
  const parsed = parseManifest(bytes);
  const uploaded: Digest[] = [];
  const present: Digest[] = [];
  let uploadedBytes = 0;

  if (parsed.kind === 'index') {
    for (const child of parsed.index.manifests) {
      const { tag: _tag, ...untagged } = options;
      const pushed = await pushImage(client, store, { ...untagged, digest: child.digest });
      uploaded.push(...pushed.uploaded);
      present.push(...pushed.present);
      uploadedBytes += pushed.uploadedBytes;
    }
  } else {
    const { config, layers } = parsed.manifest;
    const blobs = new Map([config, ...layers].map((blob) => [blob.digest, blob]));
    await forEachConcurrently([...blobs.values()], options.concurrency ?? 4, async (blob) => {
      const outcome = await client.pushBlob(
        repository,
        { ...blob, open: () => store.read(blob.digest) },
        { ...requestOptions, ...(mountFrom !== undefined && { mountFrom }) },
      );
      if (outcome !== 'uploaded') {
        present.push(blob.digest);
        return;
      }
      uploaded.push(blob.digest);
      uploadedBytes += blob.size;
    });
  }
  const { mediaType } = parsed.kind === 'index' ? parsed.index : parsed.manifest;
  await client.pushManifest(
    repository,
    { reference: tag ?? digest, mediaType, bytes },
    requestOptions,
  );
  return { digest, uploadedBytes, uploaded, present };
}
