import type { MediaPlaylist } from '../playlist/media-playlist.ts';
import { liveEdge } from '../edge/live-edge.ts';
import type { ReloadDirectives } from './reload-directives.ts';

/** What to do with a request for a playlist that is there as far as `playlist` says. */
export type ReloadDecision =
  | { readonly kind: 'answer' }
  /** Ask again with the next version; after `timeoutSeconds` of it answer 503. */
  | { readonly kind: 'wait'; readonly timeoutSeconds: number }
  | { readonly kind: 'refuse'; readonly status: 400; readonly message: string };

/**
 * The rules of a blocking reload (RFC 8216bis §6.2.5.2). What is no longer in the playlist is
 * answered at once: the client gets the playlist of today, whatever it asked for.
 */
export function decideReload(
  playlist: MediaPlaylist,
  { msn, part }: ReloadDirectives,
): ReloadDecision {
  const blocks = playlist.serverControl?.canBlockReload === true;
  if (msn === undefined || playlist.ended || !blocks) return { kind: 'answer' };
  const { lastMsn, partsAfter } = liveEdge(playlist);
  if (msn > lastMsn + 2) {
    const message = `_HLS_msn=${msn} is more than two segments after the last one, ${lastMsn}`;
    return { kind: 'refuse', status: 400, message };
  }
  const wait = { kind: 'wait', timeoutSeconds: 3 * playlist.targetDuration } as const;
  if (part === undefined) return msn <= lastMsn ? { kind: 'answer' } : wait;
  if (msn < lastMsn) return { kind: 'answer' };
  if (msn === lastMsn) {
    // A part after the last one of its segment is the first of the next segment. Where the parts
    // of the segment are not listed any more, it is there as a whole.
    const listed = playlist.segments.at(-1)?.parts.length ?? 0;
    return listed === 0 || part < listed || partsAfter > 0 ? { kind: 'answer' } : wait;
  }
  const lastPart = msn === lastMsn + 1 ? partsAfter - 1 : -1;
  const limit = advancePartLimit(playlist.partTarget);
  if (part > lastPart + limit) {
    const message = `_HLS_part=${part} is more than ${limit} parts after the last one, ${lastPart}`;
    return { kind: 'refuse', status: 400, message };
  }
  return part <= lastPart ? { kind: 'answer' } : wait;
}

/** How many parts ahead a client may ask for. */
function advancePartLimit(partTarget: number | undefined): number {
  return partTarget === undefined || partTarget >= 1 || partTarget === 0
    ? 3
    : Math.ceil(3 / partTarget);
}
