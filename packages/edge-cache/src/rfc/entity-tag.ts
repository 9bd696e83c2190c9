/**
 * Compares weakly (RFC 9110 §8.8.3.2). Origins exist that send tags without quotes and clients that
 * drop them: those compare by their text.
 */
export function tagsMatchWeakly(one: string, other: string): boolean {
  return opaque(one) === opaque(other);
}

/** Compares strongly: neither may be weak. */
export function tagsMatchStrongly(one: string, other: string): boolean {
  return !isWeak(one) && !isWeak(other) && opaque(one) === opaque(other);
}

/** Whether an `If-None-Match` value names the tag; `*` names any. */
export function namesTag(header: string, tag: string | undefined): boolean {
  if (header.trim() === '*') return true;
  if (tag === undefined) return false;
  return splitTags(header).some((other) => tagsMatchWeakly(other, tag));
}

/** A tag in the form that goes into a conditional request. */
export function quotedTag(tag: string): string {
  return /^(?:[Ww][/\\]?)?"/.test(tag) ? tag : `"${tag}"`;
}

function splitTags(header: string): readonly string[] {
  return [...header.matchAll(/(?:[Ww][/\\]?)?"[^"]*"|[^\s,]+/g)].map(([tag]) => tag);
}

function isWeak(tag: string): boolean {
  return /^[Ww]\//.test(tag);
}

function opaque(tag: string): string {
  return tag.replace(/^[Ww]\//, '').replaceAll(/^"|"$/g, '');
}
