import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isSystemError, TaplineError } from '@tapline/base';
import { writeDurably } from './write-durably.ts';

/** A node's key for agreeing on others (X25519, RFC 7748). The private part never leaves it. */
export interface NodeKey {
  /** 32 bytes, base64url. */
  readonly publicKey: string;
  /** The secret shared with the owner of that public key. Throws `node_key_invalid`. */
  agree(publicKey: string): Buffer;
  /** 32 bytes that nobody else can know, the same for the same text. */
  derive(purpose: string): Buffer;
}

/** Reads the key in that file, or makes one that is on disk before it is used. */
export async function openNodeKey(path: string): Promise<NodeKey> {
  try {
    return nodeKey(createPrivateKey(await readFile(path, 'utf8')));
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
  const { privateKey } = generateKeyPairSync('x25519');
  await writeDurably(path, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return nodeKey(privateKey);
}

export function nodeKey(privateKey: KeyObject): NodeKey {
  const { x: publicKey = '', d: secret = '' } = privateKey.export({ format: 'jwk' });
  return {
    publicKey,
    agree(other) {
      try {
        const peer = createPublicKey({
          key: { kty: 'OKP', crv: 'X25519', x: other },
          format: 'jwk',
        });
        // Also refuses points of small order, whose secret is known to everybody.
        return diffieHellman({ privateKey, publicKey: peer });
      } catch (error) {
        throw new TaplineError('node_key_invalid', `${other} is no public key of a node`, {
          cause: error,
        });
      }
    },
    derive(purpose) {
      const seed = Buffer.from(secret, 'base64url');
      return Buffer.from(hkdfSync('sha256', seed, 'tapline node 1', purpose, 32));
    },
  };
}
