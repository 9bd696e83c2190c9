import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Where a control plane keeps what; see docs/reference/data-folder.md. */
export interface DataFolder {
  /** Key and certificate of the certificate authority, mode 0700. */
  readonly ca: string;
  /** The resource store: the one thing to back up together with the CA. */
  readonly storeFile: string;
  /** Blobs and index of the embedded registry. */
  readonly registry: string;
  /** Bottles and API documents; may be deleted while the control plane is stopped. */
  readonly buildCache: string;
  /** The key that signs images, and the public keys that devices trust, mode 0700. */
  readonly imageKeys: string;
  /** What makes links to profiles, and what signs them, mode 0700. */
  readonly profiles: string;
  readonly auditFile: string;
  readonly adminKubeconfig: string;
}

/** Makes the folders that are missing; what is in them is not touched. */
export async function openDataFolder(directory: string): Promise<DataFolder> {
  const folder = {
    ca: join(directory, 'ca'),
    storeFile: join(directory, 'store', 'tapline.sqlite'),
    registry: join(directory, 'registry'),
    buildCache: join(directory, 'build'),
    imageKeys: join(directory, 'image-keys'),
    profiles: join(directory, 'profiles'),
    auditFile: join(directory, 'audit', 'audit.jsonl'),
    adminKubeconfig: join(directory, 'admin.kubeconfig'),
  };
  await mkdir(dirname(directory), { recursive: true });
  // Keys, tokens' hashes and the audit log are nobody else's business.
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const name of ['ca', 'store', 'registry', 'build', 'image-keys', 'profiles', 'audit']) {
    await mkdir(join(directory, name), { recursive: true, mode: 0o700 });
  }
  return folder;
}
