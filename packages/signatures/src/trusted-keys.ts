import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { TaplineError } from '@tapline/base';
import { keyIdOf } from './image-signer.ts';

/** Public keys whose signatures count; several while one replaces another. */
export interface TrustedKeys {
  /** In PEM, in the order of their ids. */
  readonly pems: readonly string[];
  readonly ids: readonly string[];
  /** The id of the key that made the signature, or undefined. */
  verify(bytes: Uint8Array, signature: Uint8Array): string | undefined;
}

const maxKeys = 64;

/** Throws `signing_key_invalid` for what is no public key of P-256, and for more than 64. */
export function parseTrustedKeys(pems: readonly string[]): TrustedKeys {
  if (pems.length > maxKeys) {
    throw new TaplineError('signing_key_invalid', `${pems.length} keys exceed ${maxKeys}`);
  }
  const byId = new Map<string, KeyObject>();
  for (const pem of pems) {
    const key = parsePublicKey(pem);
    byId.set(keyIdOf(key), key);
  }
  const keys = [...byId].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    pems: keys.map(([, key]) => key.export({ type: 'spki', format: 'pem' })),
    ids: keys.map(([id]) => id),
    verify: (bytes, signature) =>
      keys.find(([, key]) => verify('sha256', bytes, key, signature))?.[0],
  };
}

function parsePublicKey(pem: string): KeyObject {
  // createPublicKey would take a private key, too, and that one is nobody's to hand out.
  if (/-----BEGIN PUBLIC KEY-----/.test(pem)) {
    try {
      const key = createPublicKey(pem);
      if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
    } catch (cause) {
      throw new TaplineError('signing_key_invalid', 'a trusted key cannot be read', { cause });
    }
  }
  throw new TaplineError('signing_key_invalid', 'a trusted key is no public key of P-256 in PEM', {
    hint: 'take the public half with `openssl ec -in KEY -pubout`',
  });
}
