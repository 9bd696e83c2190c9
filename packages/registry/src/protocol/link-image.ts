import { TaplineError } from '@tapline/base';
import { type Digest, parseManifest } from '@tapline/oci';
import { describeManifest } from './describe-manifest.ts';
import type { RegistryState } from './exchange.ts';
import { readManifestBytes } from '../storage/read-manifest-bytes.ts';
import type { ManifestRecord } from '../catalog/catalog-write.ts';
import { needsOf } from '../catalog/needs-of.ts';

/** An image of the registry's own blob store, to be served from a repository. */
export interface ImageLink {
  readonly repository: string;
  /** A manifest or an index; everything it refers to is in the store. */
  readonly digest: Digest;
  readonly tag?: string;
  /** Manifests about it, in the store as well: signatures and the like. */
  readonly referrers?: readonly { readonly digest: Digest; readonly tag?: string | undefined }[];
}

/**
 * Makes an image of the store part of a repository without moving a byte, in one transaction.
 * Throws `blob_unknown` or `manifest_blob_unknown` where something is not in the store.
 */
export async function linkImage(
  state: Pick<RegistryState, 'blobs' | 'catalog' | 'clock' | 'manifests'>,
  link: ImageLink,
): Promise<void> {
  const { blobs, catalog, clock } = state;
  const manifests: ManifestRecord[] = [];
  const linked = new Map<Digest, number>();
  await using leases = new AsyncDisposableStack();

  async function visit(digest: Digest): Promise<void> {
    leases.use(await blobs.leases.hold(digest));
    const bytes = await readManifestBytes(blobs, digest);
    const parsed = parseManifest(bytes);
    if (parsed.kind === 'index') {
      for (const child of parsed.index.manifests) await visit(child.digest);
    } else {
      for (const blob of [parsed.manifest.config, ...parsed.manifest.layers]) {
        if (linked.has(blob.digest)) continue;
        leases.use(await blobs.leases.hold(blob.digest));
        const size = await blobs.size(blob.digest);
        if (size === undefined) {
          throw new TaplineError(
            'manifest_blob_unknown',
            `manifest ${digest} refers to ${blob.digest}, which is not in the store`,
          );
        }
        linked.set(blob.digest, size);
      }
    }
    const document = parsed.kind === 'index' ? parsed.index : parsed.manifest;
    manifests.push({
      descriptor: describeManifest(parsed, { digest, size: bytes.length }),
      subject: document.subject?.digest,
      needs: needsOf(parsed),
    });
  }

  const tagged: { readonly tag: string; readonly digest: Digest }[] = [];
  for (const { digest, tag } of link.referrers ?? []) {
    await visit(digest);
    if (tag !== undefined) tagged.push({ tag, digest });
  }
  // Last, as its tag is that of the last manifest; whoever sees the image sees its signatures.
  await visit(link.digest);
  await catalog.write({
    kind: 'put-image',
    repository: link.repository,
    blobs: [...linked].map(([digest, size]) => ({ digest, size })),
    manifests,
    tags: link.tag === undefined ? [] : [link.tag],
    tagged,
    now: Math.floor(clock.now()),
  });
  state.manifests.forget(link.repository);
}
