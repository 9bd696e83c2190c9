import { createImageSigner, newImageKeyPem, parseTrustedKeys } from '@tapline/signatures';
import type { TrustKeeper } from '../trust-keeper.ts';

/** Signs the images of the tests of this process. */
export const testSigner = createImageSigner(newImageKeyPem(), { name: 'the key of the tests' });

export function fixedTrust(...pems: readonly string[]): TrustKeeper {
  return { current: parseTrustedKeys(pems), refresh: () => Promise.resolve(false) };
}
