import { isRecord } from '@tapline/base';
import type { Digest } from '@tapline/oci';

/**
 * What is signed of an image: containers/image's "simple signing" as cosign writes it
 * (cosign, specs/SIGNATURE_SPEC.md).
 */
export function encodeSignaturePayload(image: {
  /** Where the image is to be found; says nothing that is verified. */
  readonly reference: string;
  readonly digest: Digest;
}): Uint8Array {
  const payload = {
    critical: {
      identity: { 'docker-reference': image.reference },
      image: { 'docker-manifest-digest': image.digest },
      type: 'cosign container image signature',
    },
    optional: null,
  };
  return Buffer.from(JSON.stringify(payload));
}

/** The digest that a payload speaks of; undefined where it is no payload. */
export function signedDigest(payload: Uint8Array): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(payload));
  } catch {
    return undefined;
  }
  const critical = isRecord(value) ? value['critical'] : undefined;
  if (!isRecord(critical) || critical['type'] !== 'cosign container image signature') {
    return undefined;
  }
  const { image } = critical;
  const digest = isRecord(image) ? image['docker-manifest-digest'] : undefined;
  return typeof digest === 'string' ? digest : undefined;
}
