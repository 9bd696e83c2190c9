import type { Digest, ParsedManifest } from '@tapline/oci';
import type { ManifestNeeds } from './catalog-write.ts';

/**
 * What a manifest cannot be pulled without. Its subject is not among it: that may come later, or
 * never (OCI distribution 1.1, "Pushing Manifests with Subject"); and layers with `urls` are
 * elsewhere.
 */
export function needsOf(parsed: ParsedManifest): ManifestNeeds {
  if (parsed.kind === 'index') {
    return { blobs: [], manifests: distinct(parsed.index.manifests.map(({ digest }) => digest)) };
  }
  const { config, layers } = parsed.manifest;
  const here = [config, ...layers].filter(({ urls }) => urls === undefined);
  return { blobs: distinct(here.map(({ digest }) => digest)), manifests: [] };
}

function distinct(digests: readonly Digest[]): readonly Digest[] {
  return [...new Set(digests)];
}
