import type { Digest } from '@tapline/oci';

/**
 * The tag under which registries older than 1.1 have the index of a digest's referrers (OCI
 * distribution 1.1, "Referrers Tag Schema"): both parts cut, as a tag has at most 128 characters.
 */
export function referrersTag(digest: Digest): string {
  const colon = digest.indexOf(':');
  const algorithm = digest.slice(0, colon).slice(0, 32);
  const hex = digest.slice(colon + 1, colon + 65);
  return `${algorithm}-${hex}`.replaceAll(/[^A-Za-z0-9_.-]/g, '-');
}

/** Whether a tag is such a one: it belongs to the digest, not to the users of the repository. */
export function isReferrersTag(tag: string): boolean {
  return /^sha(?:256|512)-[0-9a-f]{64}$/.test(tag);
}
