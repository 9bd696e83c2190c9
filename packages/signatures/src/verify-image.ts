import { TaplineError } from '@tapline/base';
import type { Digest } from '@tapline/oci';
import type { ImageSignature } from './fetch-signatures.ts';
import { signedDigest } from './signature-payload.ts';
import type { TrustedKeys } from './trusted-keys.ts';

/** Those of the signatures that a trusted key made for the image. */
export function trustedSignatures(
  digest: Digest,
  signatures: readonly ImageSignature[],
  keys: TrustedKeys,
): readonly ImageSignature[] {
  return signatures.filter(({ payload, signature }) => {
    const bytes = Buffer.from(payload, 'base64');
    return (
      signedDigest(bytes) === digest &&
      keys.verify(bytes, Buffer.from(signature, 'base64')) !== undefined
    );
  });
}

/**
 * The signatures that make an image one to start. Throws `signature_missing` where there is none,
 * `signature_invalid` where no trusted key made one, `signing_keys_unknown` where no key is trusted.
 */
export function verifyImage(
  digest: Digest,
  signatures: readonly ImageSignature[],
  keys: TrustedKeys,
): readonly ImageSignature[] {
  const details = { digest, signatures: signatures.length, trustedKeys: keys.ids };
  if (keys.ids.length === 0) {
    throw new TaplineError(
      'signing_keys_unknown',
      `image ${digest} cannot be verified: no public key is known yet`,
      { details },
    );
  }
  if (signatures.length === 0) {
    throw new TaplineError('signature_missing', `image ${digest} is not signed`, {
      hint: 'sign it with `tapline image sign`, or deploy an image that the control plane built',
      details,
    });
  }
  const trusted = trustedSignatures(digest, signatures, keys);
  if (trusted.length > 0) return trusted;
  throw new TaplineError(
    'signature_invalid',
    `none of ${signatures.length} signatures of image ${digest} was made by a trusted key (${keys.ids.map((id) => id.slice(0, 12)).join(', ')})`,
    {
      hint: 'sign it with `tapline image sign`, or add the public key of its signer to the control plane',
      details,
    },
  );
}
