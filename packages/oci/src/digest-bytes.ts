import type { HashFactory } from '@tapline/base';
import { type Digest, parseDigest } from './digest.ts';

/** The sha256 digest of `bytes`. */
export function digestBytes(bytes: Uint8Array, sha256: HashFactory): Digest {
  const hash = sha256();
  hash.update(bytes);
  return parseDigest(`sha256:${hash.hex()}`);
}
