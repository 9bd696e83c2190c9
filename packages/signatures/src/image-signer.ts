import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { TaplineError } from '@tapline/base';

/** A key of P-256 that signs images: ECDSA over SHA-256, as cosign's keys do. */
export interface ImageSigner {
  readonly keyId: string;
  readonly publicKeyPem: string;
  /** The signature in DER. */
  sign(bytes: Uint8Array): Uint8Array;
}

export function newImageKeyPem(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' });
}

/** Throws `signing_key_invalid`; `name` is what the message calls the key. */
export function createImageSigner(pem: string, { name }: { readonly name: string }): ImageSigner {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(pem);
  } catch (cause) {
    const hint = pem.includes('ENCRYPTED')
      ? 'a key of `cosign generate-key-pair` is encrypted: make one with `openssl ecparam -name prime256v1 -genkey -noout`'
      : 'make one with `openssl ecparam -name prime256v1 -genkey -noout`';
    throw new TaplineError('signing_key_invalid', `${name} is no private key in PEM`, {
      cause,
      hint,
    });
  }
  if (privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new TaplineError('signing_key_invalid', `${name} is no key of P-256`, {
      hint: 'make one with `openssl ecparam -name prime256v1 -genkey -noout`',
    });
  }
  const publicKey = createPublicKey(privateKey);
  return {
    keyId: keyIdOf(publicKey),
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }),
    sign: (bytes) => sign('sha256', bytes, privateKey),
  };
}

/** SHA-256 over the key's SubjectPublicKeyInfo, in hex. */
export function keyIdOf(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('hex');
}
