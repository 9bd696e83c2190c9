import { stat } from 'node:fs/promises';
import { isSystemError } from '@tapline/base';
import type { Digest } from '@tapline/oci';
import type { HoldReason } from '../admin/registry-admin.ts';
import type { CollectState, Tally } from './collect-garbage.ts';

const maxDigests = 1000;

/**
 * Deletes content that no repository has. While it decides about one, nobody gets a lease on it;
 * whoever wants one after that finds it gone, and sends it.
 */
export async function collectContent(
  state: CollectState,
  options: {
    readonly dryRun: boolean;
    readonly signal: AbortSignal | undefined;
    readonly tally: Tally;
  },
): Promise<void> {
  const { blobs, catalog, clock, graceMs } = state;
  const { dryRun, signal, tally } = options;
  for await (const { digest, size } of blobs.list()) {
    signal?.throwIfAborted();
    if (catalog.hasContent(digest) && !(dryRun && isOnlyDoomed(digest))) continue;
    const reason = await heldBy(digest);
    if (reason !== undefined) {
      tally.held[reason].blobs += 1;
      tally.held[reason].bytes += size;
      continue;
    }
    const removed =
      dryRun ||
      (await blobs.leases.remove(digest, async () => {
        // Again, now that nobody can be linking it.
        if (catalog.hasContent(digest)) return false;
        return await blobs.delete(digest);
      }));
    if (!removed) continue;
    tally.blobs += 1;
    tally.bytes += size;
    if (tally.digests.length < maxDigests) tally.digests.push(digest);
  }

  /** In a dry run links are still there. */
  function isOnlyDoomed(digest: Digest): boolean {
    const unlinked = tally.unlinked.get(digest) ?? 0;
    return unlinked > 0 && catalog.repositoriesOf(digest, unlinked + 1).length <= unlinked;
  }

  async function heldBy(digest: Digest): Promise<HoldReason | undefined> {
    if (blobs.leases.isHeld(digest)) return 'in-use';
    if (blobs.leases.wasTouchedWithin(digest, graceMs)) return 'recent';
    // What was unlinked just now was not touched for the grace time, whatever the file's age.
    if (tally.unlinked.has(digest)) return undefined;
    return (await isYoung(blobs.pathOf(digest))) ? 'recent' : undefined;
  }

  async function isYoung(path: string): Promise<boolean> {
    try {
      return clock.now() - (await stat(path)).mtimeMs < graceMs;
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return false;
      throw error;
    }
  }
}
