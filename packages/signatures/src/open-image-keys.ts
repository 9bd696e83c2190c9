import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, isSystemError, TaplineError } from '@tapline/base';
import { createImageSigner, type ImageSigner, newImageKeyPem } from './image-signer.ts';
import { parseTrustedKeys, type TrustedKeys } from './trusted-keys.ts';

export interface ImageKeys {
  readonly signer: ImageSigner;
  readonly trusted: TrustedKeys;
}

/**
 * The folder of a control plane's image keys: `key.pem` signs (made with mode 0600 where there is
 * none), and every public key in `trusted/*.pem` is trusted. Our own is put there, and stays when
 * `key.pem` is replaced, so that what it has signed goes on running until its file is deleted.
 */
export async function openImageKeys(directory: string): Promise<ImageKeys> {
  const trustedFolder = join(directory, 'trusted');
  await mkdir(trustedFolder, { recursive: true, mode: 0o700 });
  const keyFile = join(directory, 'key.pem');
  const signer = createImageSigner(await readOrMake(keyFile, newImageKeyPem), { name: keyFile });
  await readOrMake(join(trustedFolder, `${signer.keyId}.pem`), () => signer.publicKeyPem);
  const pems: string[] = [];
  for (const name of (await readdir(trustedFolder)).toSorted()) {
    if (!name.endsWith('.pem')) continue;
    const path = join(trustedFolder, name);
    const pem = await readFile(path, 'utf8');
    try {
      pems.push(...parseTrustedKeys([pem]).pems);
    } catch (cause) {
      const message = `${path}: ${errorMessage(cause)}`;
      throw new TaplineError('signing_key_invalid', message, { cause });
    }
  }
  return { signer, trusted: parseTrustedKeys(pems) };
}

async function readOrMake(path: string, make: () => string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
  const text = make();
  const draft = `${path}.${randomUUID()}`;
  {
    await using file = await open(draft, 'wx', 0o600);
    await file.writeFile(text);
    await file.sync();
  }
  await rename(draft, path);
  return text;
}
