import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from '@tapline/base';
import type { ImageSigner } from './image-signer.ts';

/**
 * The same signer, which gives the signature that it gave before: ECDSA draws another one each time,
 * and an image that is published again would get one more manifest for nothing.
 */
export function rememberSignatures(
  signer: ImageSigner,
  { directory }: { readonly directory: string },
): ImageSigner {
  return {
    ...signer,
    sign(bytes) {
      const name = createHash('sha256').update(`${signer.keyId}\n`).update(bytes).digest('hex');
      const path = join(directory, name);
      const known = read(path);
      // Cut short by a loss of power: a signature has some seventy bytes.
      if (known !== undefined && known.length > 60) return known;
      const made = signer.sign(bytes);
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const draft = `${path}.${randomUUID()}`;
      writeFileSync(draft, made);
      renameSync(draft, path);
      return made;
    },
  };
}

function read(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
