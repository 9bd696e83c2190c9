import { buildVersion } from '@tapline/base';
import { type Descriptor, fileIndexMediaType } from '@tapline/oci';
import type { BlobStore } from '@tapline/registry';
import {
  type ImageSigner,
  type Referrer,
  signatureMediaTypes,
  signImage,
  signStatement,
  writeArtifact,
  writeBlob,
} from '@tapline/signatures';
import type { BuiltImage, BuiltPlatform } from '../built-image.ts';
import { provenancePredicateType, provenanceStatement } from './provenance-statement.ts';
import { spdxDocument, spdxMediaType } from './spdx-document.ts';

export interface AttachOptions {
  /** What the image is called where it is going to be, such as `registry.example/tools/jq`. */
  readonly reference: string;
  /** Signs the index, the image of each platform, and their provenance. */
  readonly signer?: ImageSigner | undefined;
  readonly sbom?: boolean;
  readonly provenance?: boolean;
  readonly fileIndex?: boolean;
}

/** Writes what is asked for about an image to the store, attached by `subject`. */
export async function attachReferrers(
  store: BlobStore,
  image: BuiltImage,
  options: AttachOptions,
): Promise<readonly Referrer[]> {
  const { reference, signer } = options;
  const referrers: Referrer[] = [];
  for (const platform of image.images) {
    if (options.fileIndex === true) referrers.push(await attachFileIndex(store, platform));
    if (options.sbom === true) referrers.push(await attachSbom(store, platform));
    if (options.provenance === true) {
      referrers.push(await attachProvenance(store, { image, platform }, options));
    }
  }
  if (signer === undefined) return referrers;
  // An index of files is signed itself: a device that fetches one file has nothing else to go by.
  const indexes = referrers
    .map(({ manifest }) => manifest)
    .filter(({ artifactType }) => artifactType === fileIndexMediaType);
  const images = [...image.images.map(({ manifest }) => manifest), image.index];
  for (const subject of [...images, ...indexes]) {
    referrers.push(await signImage(store, { subject, reference }, { signer }));
  }
  return referrers;
}

/** One blob a layer, as layers are shared: a device that knows the layer's index has it already. */
async function attachFileIndex(store: BlobStore, platform: BuiltPlatform): Promise<Referrer> {
  const layers: readonly Descriptor[] = platform.layers.map(({ digest, fileIndex }) => ({
    mediaType: `${fileIndexMediaType}+gzip`,
    ...fileIndex,
    annotations: { [fileIndexLayer]: digest },
  }));
  const artifact = { artifactType: fileIndexMediaType, subject: platform.manifest, layers };
  return { manifest: await writeArtifact(store, artifact), subject: platform.manifest };
}

/** The layer that a file index is of. */
const fileIndexLayer = 'dev.tapline.layer';

async function attachSbom(store: BlobStore, platform: BuiltPlatform): Promise<Referrer> {
  const document = spdxDocument(platform, { version: buildVersion });
  const blob = await writeBlob(store, document);
  const manifest = await writeArtifact(store, {
    artifactType: spdxMediaType,
    subject: platform.manifest,
    layers: [{ mediaType: spdxMediaType, ...blob }],
  });
  return { manifest, subject: platform.manifest };
}

/** In an envelope where there is a key; without one nobody can tell who says so. */
async function attachProvenance(
  store: BlobStore,
  built: { readonly image: BuiltImage; readonly platform: BuiltPlatform },
  { reference, signer }: AttachOptions,
): Promise<Referrer> {
  const { image, platform } = built;
  const statement = provenanceStatement(platform, {
    name: reference,
    compression: image.compression,
    version: buildVersion,
  });
  const bytes = signer === undefined ? statement : signStatement(statement, signer);
  const mediaType =
    signer === undefined ? signatureMediaTypes.statement : signatureMediaTypes.envelope;
  const blob = await writeBlob(store, bytes);
  const annotations = { predicateType: provenancePredicateType };
  const subject = platform.manifest;
  const manifest = await writeArtifact(store, {
    artifactType: mediaType,
    subject,
    // cosign asks for the annotation of a signature, and finds it in the envelope.
    layers: [
      {
        mediaType,
        ...blob,
        annotations: { ...annotations, [signatureMediaTypes.signatureAnnotation]: '' },
      },
    ],
    annotations,
  });
  if (signer === undefined) return { manifest, subject };
  return { manifest, subject, tag: `${subject.digest.replace(':', '-')}.att` };
}
