import type { Finding } from '../playlist/finding.ts';
import type { Playlist } from '../playlist/playlist.ts';
import { checkLowLatency } from './check-low-latency.ts';
import { checkMedia } from './check-media.ts';
import { checkMultivariant } from './check-multivariant.ts';
import { checkVersion } from './check-version.ts';

/** What a playlist does against the rules of RFC 8216bis, as far as one reading of it can tell. */
export function checkPlaylist(playlist: Playlist): readonly Finding[] {
  if (playlist.kind === 'multivariant') return checkMultivariant(playlist);
  return [...checkMedia(playlist), ...checkLowLatency(playlist), ...checkVersion(playlist)];
}
