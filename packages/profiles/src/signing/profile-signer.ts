import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { TaplineError } from '@tapline/base';

/** A key, and the chain of its certificate. */
export interface ProfileSigner {
  readonly key: KeyObject;
  /** DER; the key's own first. */
  readonly certificates: readonly Uint8Array[];
}

/**
 * Reads a private key and its certificates, in PEM, the key's own first. `name` is what messages
 * call them. Throws `profile_signer_invalid`.
 */
export function parseProfileSigner(
  pem: string,
  { name }: { readonly name: string },
): ProfileSigner {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    const key = createPrivateKey(pem);
    const certificates = blocks.map((block) => new X509Certificate(block));
    const [own] = certificates;
    if (own === undefined) throw new TaplineError('profile_signer_invalid', 'no certificate in it');
    if (!own.checkPrivateKey(key)) {
      throw new TaplineError('profile_signer_invalid', 'the first certificate is not the key’s');
    }
    return { key, certificates: certificates.map(({ raw }) => raw) };
  } catch (cause) {
    throw new TaplineError('profile_signer_invalid', `${name} cannot sign profiles`, {
      cause,
      hint: 'give one file with a private key, its certificate, and the chain after it',
    });
  }
}
