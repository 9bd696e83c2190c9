import type { MediaPlaylist } from '../playlist/media-playlist.ts';
import { playlistSeconds } from './playlist-seconds.ts';

/** Where a media playlist ends. */
export interface LiveEdge {
  /** Media sequence number of the last whole segment; one less than the first where there is none. */
  readonly lastMsn: number;
  /** Parts of the segment after it. */
  readonly partsAfter: number;
  /** Seconds of media that are listed. */
  readonly seconds: number;
  /** Program date of the end, where the playlist tells: milliseconds since the Unix epoch. */
  readonly date?: number;
}

export function liveEdge(playlist: MediaPlaylist): LiveEdge {
  const { segments, parts, mediaSequence, skipped } = playlist;
  const date = endDate(playlist);
  return {
    lastMsn: segments.at(-1)?.msn ?? mediaSequence + (skipped?.segments ?? 0) - 1,
    partsAfter: parts.length,
    seconds: playlistSeconds(playlist),
    ...(date !== undefined && { date }),
  };
}

/** The newest program date, and the durations since. */
function endDate({ segments, parts }: MediaPlaylist): number | undefined {
  let since = parts.reduce((sum, part) => sum + part.duration, 0);
  for (const segment of segments.toReversed()) {
    since += segment.duration;
    if (segment.programDateTime !== undefined) return segment.programDateTime + since * 1000;
    // Dates do not go on over a discontinuity.
    if (segment.discontinuity) return undefined;
  }
  return undefined;
}
