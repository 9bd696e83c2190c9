import { TaplineError } from '@tapline/base';
import { type Digest, parseManifest } from '@tapline/oci';
import { describeManifest } from './describe-manifest.ts';
import type { RegistryState } from './exchange.ts';
import { readBody } from '../storage/read-body.ts';
import type { ManifestRecord } from '../storage/repository-index.ts';

const maxManifestBytes = 4 * 1024 * 1024;

/** An image of the registry's own blob store, to be served from a repository. */
export interface ImageLink {
  readonly repository: string;
  /** A manifest or an index; everything it refers to is in the store. */
  readonly digest: Digest;
  readonly tag?: string;
}

/**
 * Makes an image of the store part of a repository without moving a byte, in one transaction.
 * Throws `blob_unknown` or `manifest_blob_unknown` where something is not in the store.
 */
export async function linkImage(
  { blobs, index }: Pick<RegistryState, 'blobs' | 'index'>,
  link: ImageLink,
): Promise<void> {
  const manifests: ManifestRecord[] = [];
  const linked = new Set<Digest>();

  async function visit(digest: Digest): Promise<void> {
    const bytes = await readBody(blobs.read(digest), {
      maxBytes: maxManifestBytes,
      code: 'manifest_too_large',
    });
    const parsed = parseManifest(bytes);
    if (parsed.kind === 'index') {
      for (const child of parsed.index.manifests) await visit(child.digest);
    } else {
      for (const blob of [parsed.manifest.config, ...parsed.manifest.layers]) {
        if (!linked.has(blob.digest) && !(await blobs.has(blob.digest))) {
          throw new TaplineError(
            'manifest_blob_unknown',
            `manifest ${digest} refers to ${blob.digest}, which is not in the store`,
          );
        }
        linked.add(blob.digest);
      }
    }
    const document = parsed.kind === 'index' ? parsed.index : parsed.manifest;
    manifests.push({
      descriptor: describeManifest(parsed, { digest, size: bytes.length }),
      subject: document.subject?.digest,
    });
  }

  await visit(link.digest);
  index.putImage(link.repository, { blobs: [...linked], manifests, tag: link.tag });
}
