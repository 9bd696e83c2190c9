import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError, TaplineError } from '@tapline/base';

/** A node's key for agreeing on others (X25519, RFC 7748). The private part never leaves it. */
export interface NodeKey {
  /** 32 bytes, base64url. */
  readonly publicKey: string;
  /** The secret shared with the owner of that public key. Throws `node_key_invalid`. */
  agree(publicKey: string): Buffer;
}

/** Reads the key in that file, or makes one that is on disk before it is used. */
export async function openNodeKey(path: string): Promise<NodeKey> {
  try {
    return nodeKey(createPrivateKey(await readFile(path, 'utf8')));
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
  const { privateKey } = generateKeyPairSync('x25519');
  const partial = `${path}.${process.pid}`;
  try {
    const file = await open(partial, 'wx', 0o600);
    try {
      await file.writeFile(privateKey.export({ type: 'pkcs8', format: 'pem' }));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } finally {
    await rm(partial, { force: true });
  }
  const folder = await open(dirname(path));
  await folder.sync();
  await folder.close();
  return nodeKey(privateKey);
}

export function nodeKey(privateKey: KeyObject): NodeKey {
  const { x: publicKey = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
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
  };
}
