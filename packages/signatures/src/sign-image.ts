import type { Descriptor } from '@tapline/oci';
import type { BlobStore } from '@tapline/registry';
import type { ImageSigner } from './image-signer.ts';
import { signatureMediaTypes } from './signature-media-types.ts';
import { encodeSignaturePayload } from './signature-payload.ts';
import { writeArtifact, writeBlob } from './write-artifact.ts';

/** A manifest about another one, and the tag that tools without the referrers API look for. */
export interface Referrer {
  readonly manifest: Descriptor;
  readonly subject: Descriptor;
  readonly tag?: string;
}

/** Signs a manifest or an index, as `cosign sign --key` does; the signature is in the store. */
export async function signImage(
  store: BlobStore,
  image: { readonly subject: Descriptor; readonly reference: string },
  options: { readonly signer: ImageSigner },
): Promise<Referrer> {
  const { subject, reference } = image;
  const payload = encodeSignaturePayload({ reference, digest: subject.digest });
  const signature = Buffer.from(options.signer.sign(payload)).toString('base64');
  const blob = await writeBlob(store, payload);
  const manifest = await writeArtifact(store, {
    artifactType: signatureMediaTypes.signature,
    subject,
    layers: [
      {
        mediaType: signatureMediaTypes.payload,
        ...blob,
        annotations: { [signatureMediaTypes.signatureAnnotation]: signature },
      },
    ],
  });
  return { manifest, subject, tag: `${subject.digest.replace(':', '-')}.sig` };
}
