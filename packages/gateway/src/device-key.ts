import { createPublicKey, generateKeyPairSync } from 'node:crypto';

/** A new P-256 key in PKCS #8 PEM. It stays where it was made. */
export function newDeviceKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' });
}

/** SubjectPublicKeyInfo of a private key, in DER. */
export function publicKeyOf(privateKeyPem: string): Uint8Array {
  return createPublicKey(privateKeyPem).export({ type: 'spki', format: 'der' });
}
