import type { Descriptor, Digest, ParsedManifest } from '@tapline/oci';

/** What the referrers API says of a manifest (OCI distribution 1.1, "Listing Referrers"). */
export function describeManifest(
  parsed: ParsedManifest,
  content: { readonly digest: Digest; readonly size: number },
): Descriptor {
  const document = parsed.kind === 'manifest' ? parsed.manifest : parsed.index;
  const artifactType =
    document.artifactType ??
    (parsed.kind === 'manifest' ? parsed.manifest.config.mediaType : undefined);
  return {
    mediaType: document.mediaType,
    ...content,
    ...(artifactType !== undefined && { artifactType }),
    ...(document.annotations !== undefined && { annotations: document.annotations }),
  };
}
