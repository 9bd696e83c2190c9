import type { Digest } from '@tapline/oci';
import type { Exchange, RegistryState } from './exchange.ts';

/** Repositories that are looked at where the client does not say which to mount from. */
const maxSources = 32;

/**
 * Links a blob of a repository that the caller may read, named or not (OCI distribution 1.1,
 * "Mounting a blob from another repository"). False where the blob has to be sent.
 */
export async function mountBlob(
  state: RegistryState,
  exchange: Exchange,
  blob: { readonly repository: string; readonly digest: Digest; readonly from: string | undefined },
): Promise<boolean> {
  const { repository, digest, from } = blob;
  const { blobs, catalog, clock } = state;
  const sources = from === undefined ? catalog.repositoriesOf(digest, maxSources) : [from];
  for (const source of sources) {
    const size = catalog.blobSize(source, digest);
    if (size === undefined) continue;
    if ((await exchange.access({ repository: source, action: 'pull' })) !== 'allowed') continue;
    return await blobs.leases.holding(digest, async () => {
      if ((await blobs.sizeOnDisk(digest)) !== size) return false;
      const now = Math.floor(clock.now());
      await catalog.write({ kind: 'link-blob', repository, blob: { digest, size }, now });
      return true;
    });
  }
  return false;
}
