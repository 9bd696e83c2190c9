import { type Digest, parseDigest } from '@tapline/oci';

/** What cosign puts beside an image, under tags: signatures, attestations, SBOMs. */
const suffixes = ['sig', 'att', 'sbom'] as const;

/** The tags that cosign gives to what belongs to a manifest: `sha256-<hex>.sig`. */
export function signatureTagsOf(digest: Digest): readonly string[] {
  return suffixes.map((suffix) => `${digest.replace(':', '-')}.${suffix}`);
}

/** The manifest that a tag of cosign's belongs to; undefined for any other tag. */
export function subjectOfSignatureTag(tag: string): Digest | undefined {
  const [, hex] = /^sha256-([0-9a-f]{64})\.(?:sig|att|sbom)$/.exec(tag) ?? [];
  return hex === undefined ? undefined : parseDigest(`sha256:${hex}`);
}
