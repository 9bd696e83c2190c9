import { playlistSeconds } from '../edge/playlist-seconds.ts';
import type { MediaPlaylist } from '../playlist/media-playlist.ts';

/**
 * A delta update of `playlist`: without the segments beyond the skip boundary. The playlist itself
 * where it says that there are none, has ended, or nothing is old enough. Dates are never skipped.
 */
export function makeDelta(playlist: MediaPlaylist): MediaPlaylist {
  const boundary = playlist.serverControl?.canSkipUntil;
  if (boundary === undefined || playlist.ended || playlist.skipped !== undefined) return playlist;
  let left = playlistSeconds(playlist);
  let count = 0;
  for (const { duration } of playlist.segments) {
    left -= duration;
    if (left <= boundary) break;
    count += 1;
  }
  if (count === 0) return playlist;
  return {
    ...playlist,
    // RFC 8216bis §8: EXT-X-SKIP came with version 9.
    version: Math.max(9, playlist.version),
    skipped: { segments: count, removedDateRanges: [] },
    segments: playlist.segments.slice(count),
  };
}
