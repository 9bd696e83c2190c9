import { TaplineError } from '@tapline/base';
import {
  type Descriptor,
  type Digest,
  digestBytes,
  encodeManifest,
  formatPlatform,
  type ImageIndex,
  type Platform,
} from '@tapline/oci';
import type { FetchedManifest } from '../client/registry-client.ts';
import { sha256 } from '../storage/sha256.ts';
import type { CopyPlan, PlannedManifest } from './copy-plan.ts';
import type { ImageEndpoint } from './image-endpoint.ts';

export interface PlanCopyOptions {
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
  /** Only these of an index; a smaller index is made of them. All where left out. */
  readonly platforms?: readonly Platform[] | undefined;
  /** Whether what refers to the image comes along. */
  readonly referrers: boolean;
  readonly signal?: AbortSignal | undefined;
}

// An image has a handful of referrers; a source that answers with more is at fault.
const maxReferrers = 1000;
const maxDepth = 8;

/** Reads the manifests of an image at its source and says what a copy of it takes. */
export async function planCopy(
  source: Pick<ImageEndpoint, 'manifest' | 'referrers'>,
  options: PlanCopyOptions,
): Promise<CopyPlan> {
  const { repository, signal } = options;
  const request = signal === undefined ? {} : { signal };
  const manifests = new Map<Digest, PlannedManifest>();
  const referrers = new Map<Digest, PlannedManifest>();
  const blobs = new Map<Digest, Descriptor>();

  async function visit(
    fetched: FetchedManifest,
    into: Map<Digest, PlannedManifest>,
    depth: number,
  ): Promise<PlannedManifest> {
    if (depth > maxDepth) {
      throw new TaplineError(
        'manifest_invalid',
        `indexes of ${options.reference} are more than ${maxDepth} deep`,
      );
    }
    const { manifest: parsed } = fetched;
    let { digest, bytes } = fetched;
    if (parsed.kind === 'manifest') {
      for (const blob of [parsed.manifest.config, ...parsed.manifest.layers]) {
        // What has URLs is fetched from there, not from registries.
        if (blob.urls === undefined) blobs.set(blob.digest, blob);
      }
    } else {
      const chosen = choosePlatforms(parsed.index, options);
      for (const child of chosen.manifests) {
        if (into.has(child.digest)) continue;
        await visit(await source.manifest(repository, child.digest, request), into, depth + 1);
      }
      if (chosen !== parsed.index) {
        bytes = encodeManifest(chosen);
        digest = digestBytes(bytes, sha256);
      }
    }
    const planned = { digest, mediaType: fetched.mediaType, bytes };
    into.set(digest, planned);
    return planned;
  }

  async function visitReferrers(subject: Digest, depth: number): Promise<void> {
    if (depth > maxDepth) return;
    for (const { digest } of await source.referrers(repository, subject, request)) {
      if (referrers.has(digest) || manifests.has(digest)) continue;
      if (referrers.size >= maxReferrers) {
        throw new TaplineError(
          'registry_error',
          `more than ${maxReferrers} manifests refer to ${options.reference}`,
        );
      }
      await visit(await source.manifest(repository, digest, request), referrers, depth);
      await visitReferrers(digest, depth + 1);
    }
  }

  const fetched = await source.manifest(repository, options.reference, request);
  const root = await visit(fetched, manifests, 0);
  if (options.referrers) {
    for (const digest of manifests.keys()) await visitReferrers(digest, 0);
  }
  return {
    root,
    manifests: [...manifests.values()],
    referrers: [...referrers.values()],
    blobs: [...blobs.values()],
    bytes: blobs.values().reduce((sum, { size }) => sum + size, 0),
  };
}

/** The index with only the platforms asked for; the same object where that is all of it. */
function choosePlatforms(index: ImageIndex, { platforms, reference }: PlanCopyOptions): ImageIndex {
  if (platforms === undefined) return index;
  const manifests = index.manifests.filter(({ platform }) =>
    platforms.some(
      (wanted) =>
        platform !== undefined &&
        wanted.os === platform.os &&
        wanted.architecture === platform.architecture &&
        (wanted.variant === undefined || wanted.variant === platform.variant),
    ),
  );
  if (manifests.length === 0) {
    const there = index.manifests.flatMap(({ platform }) => platform ?? []).map(formatPlatform);
    throw new TaplineError(
      'platform_unsupported',
      `${reference} is not for ${platforms.map(formatPlatform).join(', ')}, only for ${there.join(', ')}`,
    );
  }
  return manifests.length === index.manifests.length ? index : { ...index, manifests };
}
