import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { type Clock, errorMessage, isSystemError, TaplineError } from '@tapline/base';
import type { Digest } from '@tapline/oci';
import { algorithmOf } from '../storage/digest-algorithm.ts';
import type { FileBlobStore } from '../storage/file-blob-store.ts';
import type { BlobReplica } from './blob-replica.ts';
import type { ScrubEvent } from './scrub-event.ts';

const readBytes = 1024 * 1024;
/** A progress event for each so many bytes, and for each so many blobs. */
const progressBytes = 256 * 1024 * 1024;
const progressBlobs = 1000;

export interface ScrubInit {
  readonly blobs: FileBlobStore;
  /** What is served and from where; content that no repository has is checked and not repaired. */
  readonly served: {
    /** Contents in the order of their digests, after one. */
    contents(
      after: string,
      limit: number,
    ): readonly { readonly digest: Digest; readonly size: number }[];
    repositoriesOf(digest: Digest, limit: number): readonly string[];
    total(): { readonly contents: number; readonly bytes: number };
  };
  /** In the order in which they are asked; none: what is damaged is only withdrawn. */
  readonly replicas: readonly BlobReplica[];
  /** What was withdrawn, or came back. */
  readonly onChange: (repositories: readonly string[]) => void;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

const pageSize = 500;
const maxRepositories = 16;

/**
 * Reads all content that is served and compares it with its digest. What is damaged is taken out of
 * service before anything else, so that nobody gets it and a push brings it back; then replicas are
 * asked for it.
 */
export async function* scrubBlobs(init: ScrubInit): AsyncGenerator<ScrubEvent, void> {
  const { blobs, clock, replicas, served, signal } = init;
  const startMs = clock.monotonic();
  const { contents: totalBlobs, bytes: totalBytes } = served.total();
  const sum = { blobs: 0, bytes: 0, damaged: 0, missing: 0, repaired: 0 };
  let toldBlobs = 0;
  let toldBytes = 0;
  let after = '';
  for (;;) {
    const page = served.contents(after, pageSize);
    for (const content of page) {
      signal?.throwIfAborted();
      after = content.digest;
      const state = await check(blobs, content, signal);
      sum.blobs += 1;
      sum.bytes += content.size;
      if (state !== 'whole') {
        // Deleted, or pushed again, since the page was read?
        const repositories = served.repositoriesOf(content.digest, maxRepositories);
        if (repositories.length === 0) continue;
        const withdrawn = state === 'damaged' && (await withdraw(blobs, content.digest, signal));
        if (state === 'damaged' && !withdrawn) continue;
        init.onChange(repositories);
        const repair = await fetchAgain(blobs, { ...content, repositories }, { replicas, signal });
        init.onChange(repositories);
        const { digest, size } = content;
        const isRepaired = repair.replica !== undefined;
        sum[state] += 1;
        sum.repaired += isRepaired ? 1 : 0;
        yield state === 'damaged'
          ? {
              kind: 'damaged',
              digest,
              size,
              repositories,
              ...repair,
              outcome: isRepaired ? 'repaired' : 'withdrawn',
            }
          : {
              kind: 'missing',
              digest,
              repositories,
              ...repair,
              outcome: isRepaired ? 'repaired' : 'missing',
            };
      }
      if (sum.blobs - toldBlobs >= progressBlobs || sum.bytes - toldBytes >= progressBytes) {
        [toldBlobs, toldBytes] = [sum.blobs, sum.bytes];
        yield { kind: 'progress', blobs: sum.blobs, bytes: sum.bytes, totalBlobs, totalBytes };
      }
    }
    if (page.length < pageSize) break;
  }
  yield { kind: 'done', ...sum, durationMs: clock.monotonic() - startMs };
}

/** A damaged blob is read twice: what a failing cable did to one read is not the disk's. */
async function withdraw(
  blobs: FileBlobStore,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  return await blobs.leases.remove(digest, async () => {
    const size = await blobs.sizeOnDisk(digest);
    if (size === undefined) return false;
    if ((await check(blobs, { digest, size }, signal)) !== 'damaged') return false;
    await blobs.setAside(digest);
    return true;
  });
}

async function check(
  blobs: FileBlobStore,
  content: { readonly digest: Digest; readonly size: number },
  signal: AbortSignal | undefined,
): Promise<'whole' | 'damaged' | 'missing'> {
  const algorithm = algorithmOf(content.digest);
  const hash = createHash(algorithm);
  let size = 0;
  try {
    await using file = await open(blobs.pathOf(content.digest), 'r');
    const buffer = Buffer.allocUnsafeSlow(readBytes);
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, readBytes, size);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      size += bytesRead;
    }
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return 'missing';
    // A disk that cannot read a sector says so.
    if (isSystemError(error, 'EIO')) return 'damaged';
    throw error;
  }
  const isWhole = `${algorithm}:${hash.digest('hex')}` === content.digest;
  return isWhole ? 'whole' : 'damaged';
}

async function fetchAgain(
  blobs: FileBlobStore,
  blob: {
    readonly digest: Digest;
    readonly size: number;
    readonly repositories: readonly string[];
  },
  options: {
    readonly replicas: readonly BlobReplica[];
    readonly signal: AbortSignal | undefined;
  },
): Promise<{ readonly replica?: string; readonly reason?: string }> {
  const { replicas, signal } = options;
  const reasons: string[] = [];
  for (const replica of replicas) {
    try {
      await using writer = await blobs.openWriter();
      for await (const chunk of replica.fetch(blob, signal === undefined ? {} : { signal })) {
        if (writer.size + chunk.length > blob.size) {
          throw new TaplineError('digest_mismatch', `more than the ${blob.size} bytes of the blob`);
        }
        await writer.write(chunk);
      }
      await writer.commit(blob.digest);
      return { replica: replica.name };
    } catch (error) {
      signal?.throwIfAborted();
      reasons.push(`${replica.name}: ${errorMessage(error)}`);
    }
  }
  return reasons.length === 0 ? {} : { reason: reasons.join('; ') };
}
