import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { isSystemError, TaplineError } from '@tapline/base';

/** A key of P-256 that signs registry tokens. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Names it in tokens, as the distribution project does. */
  readonly id: string;
}

export function newSigningKey(): SigningKey {
  return signingKeyOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
}

/** The key in a file, made with mode 0600 where there is none yet. */
export async function openSigningKey(path: string): Promise<SigningKey> {
  let pem: string;
  try {
    pem = await readFile(path, 'utf8');
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
    const key = newSigningKey();
    const draft = `${path}.new`;
    await writeFile(draft, key.privateKey.export({ type: 'pkcs8', format: 'pem' }), {
      mode: 0o600,
    });
    await rename(draft, path);
    return key;
  }
  try {
    return signingKeyOf(createPrivateKey(pem));
  } catch (cause) {
    throw new TaplineError('token_key_invalid', `${path} is no private key`, {
      cause,
      hint: 'delete it to have a new one made: tokens last for minutes only',
    });
  }
}

/** Throws where the key is not of P-256. */
export function signingKeyOf(privateKey: KeyObject): SigningKey {
  if (privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new TaplineError('token_key_invalid', 'registry tokens are signed with a key of P-256');
  }
  const publicKey = createPublicKey(privateKey);
  return { privateKey, publicKey, id: keyId(publicKey) };
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/**
 * What the distribution project takes from `kid`: SHA-256 over the key's SubjectPublicKeyInfo, cut to
 * 240 bits, in base32 and groups of four.
 */
function keyId(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const bits = [...createHash('sha256').update(der).digest().subarray(0, 30)]
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('');
  const letters = (bits.match(/.{5}/g) ?? []).map((five) => base32[Number.parseInt(five, 2)]);
  return (letters.join('').match(/.{4}/g) ?? []).join(':');
}
