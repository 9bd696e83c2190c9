import {
  type Digest,
  encodeManifest,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
} from '@tapline/oci';
import type { BlobStore } from '@tapline/registry';

/** Writes a manifest, an index or a config to the store; equal documents are one blob. */
export async function putDocument(
  store: BlobStore,
  document: ImageManifest | ImageIndex | ImageConfig,
): Promise<{ readonly digest: Digest; readonly size: number }> {
  await using writer = await store.openWriter();
  await writer.write(encodeManifest(document));
  return await writer.commit();
}
