import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError, TaplineError } from '@tapline/base';
import type { WireguardKey } from '../fabric-helper.ts';

/** RFC 8410 §7: what stands in front of the 32 bytes of a private key of X25519 in PKCS #8. */
const privateKeyHead = Buffer.from('302e020100300506032b656e04220420', 'hex');
const keyBytes = 32;

/** The node's key, made here and readable by nobody else. Only the public one is told. */
export async function wireguardKeyFile(path: string): Promise<WireguardKey> {
  const secret = (await readKey(path)) ?? (await makeKey(path));
  return { publicKey: publicKeyOf(secret), madeAt: (await stat(path)).mtimeMs };
}

async function readKey(path: string): Promise<Buffer | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
  const secret = Buffer.from(text, 'base64');
  if (secret.length === keyBytes) return secret;
  throw new TaplineError('wireguard_key_invalid', `${path} holds no key of ${keyBytes} bytes`, {
    hint: 'remove the file: another key is made, and the other nodes are told of it',
  });
}

async function makeKey(path: string): Promise<Buffer> {
  const secret = lastBytes(
    generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'der' }),
  );
  // As `wg genkey` prints it (RFC 7748 §5).
  secret[0] = (secret[0] ?? 0) & 248;
  secret[keyBytes - 1] = ((secret[keyBytes - 1] ?? 0) & 127) | 64;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // Beside its place and then renamed: half a key is none.
  const partial = `${path}.${process.pid}`;
  await writeFile(partial, `${secret.toString('base64')}\n`, { mode: 0o600, flush: true });
  await rename(partial, path);
  return secret;
}

function publicKeyOf(secret: Buffer): string {
  const key: KeyObject = createPrivateKey({
    key: Buffer.concat([privateKeyHead, secret]),
    format: 'der',
    type: 'pkcs8',
  });
  const exported = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return lastBytes(exported).toString('base64');
}

function lastBytes(encoded: Buffer): Buffer {
  return encoded.subarray(-keyBytes);
}
