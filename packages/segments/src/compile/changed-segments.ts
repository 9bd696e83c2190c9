import type { SegmentIntent } from '../intent/segment-intent.ts';

/** What is in one list only; the same object is the same segment. */
export interface ChangedSegments {
  readonly gone: readonly SegmentIntent[];
  readonly come: readonly SegmentIntent[];
}

/**
 * Compares by identity and by place, so that few changes among many segments cost as many
 * comparisons of references and nothing else.
 */
export function changedSegments(
  before: readonly SegmentIntent[],
  after: readonly SegmentIntent[],
): ChangedSegments {
  if (before === after) return { gone: [], come: [] };
  let start = 0;
  const shorter = Math.min(before.length, after.length);
  while (start < shorter && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  // In lists of one length most places are equal; what differs may still have moved.
  const aligned = before.length === after.length;
  const old = before.slice(start, before.length - end);
  const now = after.slice(start, after.length - end);
  const lost = aligned ? old.filter((segment, at) => segment !== now[at]) : old;
  const found = aligned ? now.filter((segment, at) => segment !== old[at]) : now;
  const [known, wanted] = [new Set(lost), new Set(found)];
  return {
    gone: lost.filter((segment) => !wanted.has(segment)),
    come: found.filter((segment) => !known.has(segment)),
  };
}
