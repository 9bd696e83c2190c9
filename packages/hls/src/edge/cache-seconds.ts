import type { Playlist } from '../playlist/playlist.ts';

const day = 86_400;

/**
 * How long a copy of a playlist may be given out without asking its origin again, in seconds: half
 * a target duration (RFC 8216bis §6.3.4 lets clients ask that often); a second where there are
 * parts, since a blocking reload has an address of its own and never changes.
 */
export function playlistCacheSeconds(playlist: Playlist): number {
  if (playlist.kind === 'multivariant') return 300;
  if (playlist.ended) return day;
  if (playlist.partTarget !== undefined) return 1;
  return Math.max(1, playlist.targetDuration / 2);
}

/** Segments, parts and initialisation sections never change under one address. */
export const segmentCacheSeconds: number = 14 * day;
