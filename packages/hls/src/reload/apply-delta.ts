import { TaplineError } from '@tapline/base';
import type { MediaPlaylist, MediaSegment } from '../playlist/media-playlist.ts';

/**
 * The whole playlist that a delta update stands for (RFC 8216bis §6.2.5.1); a whole one is returned
 * as it is. Throws `playlist_delta_unmatched` where `older` lacks a segment that the update skips:
 * ask again without `_HLS_skip`.
 */
export function applyDelta(older: MediaPlaylist, update: MediaPlaylist): MediaPlaylist {
  const { skipped, ...whole } = update;
  if (skipped === undefined) return update;
  const known = new Map(older.segments.map((segment) => [segment.msn, segment]));
  const segments: MediaSegment[] = [];
  for (let offset = 0; offset < skipped.segments; offset += 1) {
    const msn = update.mediaSequence + offset;
    const segment = known.get(msn);
    if (segment === undefined) {
      throw new TaplineError(
        'playlist_delta_unmatched',
        `the update skips segments ${update.mediaSequence} to ${update.mediaSequence + skipped.segments - 1}; ${msn} is not known`,
        { hint: 'ask for the whole playlist, without _HLS_skip' },
      );
    }
    // What may be skipped is older than what may still have parts.
    segments.push({ ...segment, parts: [] });
  }
  // What the skipped segments said goes on until the update says something else.
  for (const segment of update.segments) segments.push(carryOn(segments.at(-1), segment));
  const gone = new Set([...skipped.removedDateRanges, ...update.dateRanges.map(({ id }) => id)]);
  const kept = older.dateRanges.filter(({ id }) => !gone.has(id));
  return { ...whole, segments, dateRanges: [...kept, ...update.dateRanges] };
}

function carryOn(before: MediaSegment | undefined, segment: MediaSegment): MediaSegment {
  const map = segment.map ?? before?.map;
  const keys = segment.keys ?? before?.keys;
  return { ...segment, ...(map && { map }), ...(keys && { keys }) };
}
