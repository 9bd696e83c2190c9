import { liveEdge } from '../edge/live-edge.ts';
import type { MediaPlaylist } from '../playlist/media-playlist.ts';
import type { ReloadDirectives } from './reload-directives.ts';

/**
 * What a client asks for after `playlist`: the next part, or the next segment, as a delta update
 * where the server makes them. Nothing where the server does not block: then it has to poll.
 */
export function nextReload(playlist: MediaPlaylist): ReloadDirectives {
  const { serverControl: control, partTarget } = playlist;
  if (control?.canBlockReload !== true || playlist.ended) return {};
  const { lastMsn, partsAfter } = liveEdge(playlist);
  return {
    msn: lastMsn + 1,
    ...(partTarget !== undefined && { part: partsAfter }),
    ...(control.canSkipUntil !== undefined && {
      skip: control.canSkipDateRanges ? 'v2' : 'YES',
    }),
  };
}
