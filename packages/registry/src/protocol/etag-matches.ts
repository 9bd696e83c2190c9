/**
 * Whether `If-None-Match` names the entity tag: weak comparison of a list, or `*` (RFC 9110 §13.1.2).
 */
export function etagMatches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  return header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}
