import { constants, generateKeyPairSync, sign } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface SigningKey {
  readonly privateKey: string;
  /** PEM file with the public half, for clients that are to trust this mirror. */
  readonly publicKeyPath: string;
}

/** The mirror's key, made on first use and kept in `folder`. */
export async function loadSigningKey(folder: string): Promise<SigningKey> {
  const key = join(folder, 'api-key');
  const publicKeyPath = join(key, 'homebrew-1.pem');
  if (!existsSync(key)) {
    await mkdir(folder, { recursive: true });
    const fresh = await mkdtemp(join(folder, '.api-key-'));
    const pair = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    await writeFile(join(fresh, 'private.pem'), pair.privateKey, { mode: 0o600 });
    await writeFile(join(fresh, 'homebrew-1.pem'), pair.publicKey);
    // The public half is for clients of any user.
    await chmod(fresh, 0o755);
    try {
      // Both halves appear at once; a mirror started at the same time may have won.
      await rename(fresh, key);
    } catch (error) {
      await rm(fresh, { recursive: true, force: true });
      if (!existsSync(key)) throw error;
    }
  }
  return { privateKey: await readFile(join(key, 'private.pem'), 'utf8'), publicKeyPath };
}

/**
 * Signs an API document as Homebrew does: JWS in general JSON form, PS512 over the payload as it is
 * (RFC 7797, `b64: false`).
 */
export function signApiDocument(payload: string, key: SigningKey): string {
  const protectedHeader = Buffer.from(
    JSON.stringify({ alg: 'PS512', b64: false, crit: ['b64'] }),
  ).toString('base64url');
  const signature = sign('sha512', Buffer.from(`${protectedHeader}.${payload}`), {
    key: key.privateKey,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    // RFC 7518 §3.5: the salt is as long as the hash.
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  });
  return JSON.stringify({
    payload,
    signatures: [
      {
        protected: protectedHeader,
        header: { kid: 'homebrew-1' },
        signature: signature.toString('base64url'),
      },
    ],
  });
}
