import type { Digest } from '@tapline/oci';
import type { RegistryState } from './exchange.ts';

/** A note is good for the grace time, so it is renewed well before. */
const renewals = 4;

/**
 * Notes that a client counts on a blob, so that garbage collection leaves it to the manifest that is
 * about to come. Where no manifest needs it yet the note is in the catalog: also the next process
 * knows. False where the repository does not have it any more.
 */
export async function holdUnneeded(
  state: Pick<RegistryState, 'blobs' | 'catalog' | 'clock' | 'graceMs'>,
  blob: { readonly repository: string; readonly digest: Digest },
): Promise<boolean> {
  const { blobs, catalog, clock, graceMs } = state;
  const { repository, digest } = blob;
  blobs.leases.touch(digest);
  const since = catalog.unneededSince(repository, digest);
  const now = Math.floor(clock.now());
  if (since === undefined || (since <= now && now - since < graceMs / renewals)) return true;
  return (await catalog.write({ kind: 'touch-blob', repository, digest, now })) > 0;
}
