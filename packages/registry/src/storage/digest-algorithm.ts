import { createHash } from 'node:crypto';
import { type Digest, parseDigest } from '@tapline/oci';

/** The algorithms that content is stored by (OCI image 1.1, "Registered algorithms"). */
export type DigestAlgorithm = 'sha256' | 'sha512';

/** Of a digest; sha256 for anything else, such as a tag. */
export function algorithmOf(reference: string | readonly string[] | undefined): DigestAlgorithm {
  return typeof reference === 'string' && reference.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** The digest of `bytes` by an algorithm. */
export function digestWith(algorithm: DigestAlgorithm, bytes: Uint8Array): Digest {
  return parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`);
}
