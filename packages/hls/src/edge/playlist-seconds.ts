import type { MediaPlaylist } from '../playlist/media-playlist.ts';

/** Seconds of media in a playlist, with the parts of the segment that is not there yet. */
export function playlistSeconds({ segments, parts }: MediaPlaylist): number {
  let seconds = 0;
  for (const { duration } of segments) seconds += duration;
  for (const { duration } of parts) seconds += duration;
  return seconds;
}
