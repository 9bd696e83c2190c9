import { type Annotations, type Descriptor, encodeManifest, mediaTypes } from '@tapline/oci';
import type { BlobStore, StoredBlob } from '@tapline/registry';

/** Something about an image, attached to it by `subject`. */
export interface Artifact {
  readonly artifactType: string;
  readonly subject: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations?: Annotations;
}

/** Writes the artifact's manifest to the store; its layers are there already. */
export async function writeArtifact(store: BlobStore, artifact: Artifact): Promise<Descriptor> {
  const { artifactType, layers, annotations } = artifact;
  const { mediaType, digest, size } = artifact.subject;
  const config = await writeBlob(store, Buffer.from('{}'));
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType,
    config: { mediaType: mediaTypes.ociEmpty, ...config },
    layers,
    subject: { mediaType, digest, size },
    ...(annotations !== undefined && { annotations }),
  });
  const stored = await writeBlob(store, manifest);
  return {
    mediaType: mediaTypes.ociManifest,
    ...stored,
    artifactType,
    ...(annotations !== undefined && { annotations }),
  };
}

export async function writeBlob(store: BlobStore, bytes: Uint8Array): Promise<StoredBlob> {
  await using writer = await store.openWriter();
  await writer.write(bytes);
  return await writer.commit();
}
