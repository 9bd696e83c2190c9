import { randomBytes, randomUUID } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '@tapline/base';
import type { CertificateAuthority } from '@tapline/gateway';
import {
  createProfileLinks,
  parseProfileSigner,
  type ProfileLinks,
  type ProfileSigner,
} from '@tapline/profiles';

export interface ProfileKeys {
  readonly links: ProfileLinks;
  readonly signer: ProfileSigner;
}

/**
 * The folder of what profiles need: `link.key` makes links (made with mode 0600 where there is
 * none), `signer.pem` signs profiles. Without one the control plane's own authority certifies a key
 * that lives as long as the process: devices then show the profile as not verified, unless they
 * trust that authority.
 */
export async function openProfileKeys(
  directory: string,
  { authority }: { readonly authority: Pick<CertificateAuthority, 'issueSigner'> },
): Promise<ProfileKeys> {
  const signerFile = join(directory, 'signer.pem');
  const given = await readIfThere(signerFile);
  const links = createProfileLinks(await linkKey(join(directory, 'link.key')));
  if (given !== undefined) {
    return { links, signer: parseProfileSigner(given.toString(), { name: signerFile }) };
  }
  const issued = authority.issueSigner({ name: 'Tapline profiles' });
  const pem = issued.privateKeyPem + issued.certificatePem;
  return { links, signer: parseProfileSigner(pem, { name: 'the issued key' }) };
}

async function linkKey(path: string): Promise<Uint8Array> {
  const given = await readIfThere(path);
  if (given !== undefined) return given;
  const key = randomBytes(32);
  const draft = `${path}.${randomUUID()}`;
  {
    await using file = await open(draft, 'wx', 0o600);
    await file.writeFile(key);
    await file.sync();
  }
  await rename(draft, path);
  return key;
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
