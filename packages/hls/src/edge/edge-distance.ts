import type { MediaPlaylist } from '../playlist/media-playlist.ts';
import { liveEdge } from './live-edge.ts';

/** How far one copy of a playlist is behind another one of the same rendition. */
export interface EdgeDistance {
  /** Whole segments that are missing. */
  readonly segments: number;
  /** Seconds of media that are missing, parts included; 0 where nothing is, or it is ahead. */
  readonly seconds: number;
}

/** How far `copy`, such as an edge's, is behind `source`, such as the origin's. */
export function edgeDistance(source: MediaPlaylist, copy: MediaPlaylist): EdgeDistance {
  const ahead = liveEdge(source);
  const behind = liveEdge(copy);
  const segments = Math.max(0, ahead.lastMsn - behind.lastMsn);
  if (ahead.lastMsn < behind.lastMsn) return { segments: 0, seconds: 0 };
  const missing = source.segments
    .filter(({ msn }) => msn > behind.lastMsn)
    .reduce((sum, { duration }) => sum + duration, 0);
  // Segments that the source has dropped already lasted at most a target duration each.
  const dropped = Math.max(0, source.mediaSequence - behind.lastMsn - 1) * source.targetDuration;
  const seconds = missing + dropped + partSeconds(source) - partSeconds(copy);
  return { segments, seconds: Math.max(0, Math.round(seconds * 1000) / 1000) };
}

function partSeconds({ parts }: MediaPlaylist): number {
  return parts.reduce((sum, { duration }) => sum + duration, 0);
}
