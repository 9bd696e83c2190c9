import { type Digest, maxManifestBytes } from '@tapline/oci';
import type { BlobStore } from './blob-store.ts';
import { readBody } from './read-body.ts';

/** All of a manifest in a store. Throws `blob_unknown`, and `manifest_too_large` beyond the limit. */
export async function readManifestBytes(store: BlobStore, digest: Digest): Promise<Uint8Array> {
  return await readBody(store.read(digest), {
    maxBytes: maxManifestBytes,
    code: 'manifest_too_large',
  });
}
