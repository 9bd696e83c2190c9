import { TaplineError } from '@tapline/base';
import { type Digest, parseDigest } from '@tapline/oci';

/** Throws `digest_mismatch` where the bytes are not those that the digest names. */
export async function verifyDigest(bytes: Uint8Array<ArrayBuffer>, digest: Digest): Promise<void> {
  // `subtle` is missing where the page did not come from this machine or by HTTPS. There, who could
  // change the bytes could change this code as well.
  const { subtle } = crypto as { readonly subtle?: SubtleCrypto };
  if (subtle === undefined) return;
  if (!digest.startsWith('sha256:')) {
    throw new TaplineError('digest_mismatch', `${digest} is no SHA-256 digest; no other is known`);
  }
  const hash = new Uint8Array(await subtle.digest('SHA-256', bytes));
  const found = Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (parseDigest(`sha256:${found}`) !== digest) {
    throw new TaplineError('digest_mismatch', `what came for ${digest} is sha256:${found}`);
  }
}
