import type { Descriptor, Digest, Platform } from '@tapline/oci';
import { forEachConcurrently } from '../client/for-each-concurrently.ts';
import { type ByteLimiter, limited } from './byte-limiter.ts';
import type { PlannedManifest } from './copy-plan.ts';
import type { ImageEndpoint } from './image-endpoint.ts';
import { planCopy } from './plan-copy.ts';

export interface CopyImageOptions {
  readonly from: { readonly repository: string; readonly reference: string };
  /** Without a tag the copy has its digest only. */
  readonly to: { readonly repository: string; readonly tag?: string | undefined };
  readonly platforms?: readonly Platform[] | undefined;
  readonly referrers?: boolean;
  /** Where in the destination a blob may be already, to be mounted from. */
  readonly mountFrom?: (blob: Digest) => string | undefined;
  /** Blobs under way at once; 4 unless given. */
  readonly concurrency?: number;
  readonly limiter?: ByteLimiter | undefined;
  readonly onProgress?: (progress: CopyProgress) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface CopyProgress {
  /** Of `totalBytes`, sent or found to be there. */
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly doneBlobs: number;
  readonly totalBlobs: number;
}

/** What a copy sent; the rest was there already. */
export interface CopiedImage {
  /** Another than at the source where platforms were left out. */
  readonly digest: Digest;
  readonly manifests: number;
  readonly referrers: number;
  readonly uploadedBytes: number;
  readonly uploaded: readonly Digest[];
  readonly mounted: readonly Digest[];
  readonly present: readonly Digest[];
}

/**
 * Copies an image and sends only what the destination lacks. Blobs come first and the tag last, so
 * that whoever sees it finds all of the image and what refers to it. Doing it again is harmless, and
 * goes on where an earlier one ended.
 */
export async function copyImage(
  source: ImageEndpoint,
  destination: ImageEndpoint,
  options: CopyImageOptions,
): Promise<CopiedImage> {
  const { from, to, signal, limiter } = options;
  const request = signal === undefined ? {} : { signal };
  const plan = await planCopy(source, {
    ...options,
    ...from,
    referrers: options.referrers === true,
  });
  const outcome = { uploaded: [] as Digest[], mounted: [] as Digest[], present: [] as Digest[] };
  let uploadedBytes = 0;
  let doneBytes = 0;
  let doneBlobs = 0;

  function report(): void {
    options.onProgress?.({
      doneBytes,
      totalBytes: plan.bytes,
      doneBlobs,
      totalBlobs: plan.blobs.length,
    });
  }

  async function* read(blob: Descriptor): AsyncGenerator<Uint8Array, void> {
    const bytes = source.blob(from.repository, blob, request);
    for await (const chunk of limiter === undefined ? bytes : limited(bytes, limiter, signal)) {
      doneBytes += chunk.length;
      report();
      yield chunk;
    }
  }

  async function copyBlob(blob: Descriptor): Promise<void> {
    let sent = 0;
    const mountFrom = options.mountFrom?.(blob.digest);
    const how = await destination.pushBlob(
      to.repository,
      {
        ...blob,
        // Another try begins at the start: what the last one counted does not count.
        async *open() {
          doneBytes -= sent;
          sent = 0;
          for await (const chunk of read(blob)) {
            sent += chunk.length;
            yield chunk;
          }
        },
      },
      { ...request, ...(mountFrom !== undefined && { mountFrom }) },
    );
    outcome[how].push(blob.digest);
    if (how === 'uploaded') uploadedBytes += blob.size;
    doneBytes += blob.size - sent;
    doneBlobs += 1;
    report();
  }

  async function push(manifest: PlannedManifest, reference: string): Promise<void> {
    await destination.pushManifest(to.repository, { ...manifest, reference }, request);
  }

  /** A round of replication finds nearly everything there. */
  async function pushMissing(manifest: PlannedManifest, reference: string): Promise<void> {
    const found = await destination.resolve(to.repository, reference, request);
    if (found?.digest !== manifest.digest) await push(manifest, reference);
  }

  report();
  await forEachConcurrently(plan.blobs, options.concurrency ?? 4, copyBlob);
  for (const manifest of plan.manifests) await pushMissing(manifest, manifest.digest);
  for (const manifest of plan.referrers) await push(manifest, manifest.digest);
  if (to.tag !== undefined) await pushMissing(plan.root, to.tag);
  return {
    digest: plan.root.digest,
    manifests: plan.manifests.length,
    referrers: plan.referrers.length,
    uploadedBytes,
    ...outcome,
  };
}
