import { type Clock, TaplineError } from '@tapline/base';
import {
  defaultPlaylistLimits,
  liveEdge,
  mediaUrls,
  type MultivariantPlaylist,
  parsePlaylist,
  type Playlist,
  resolveUrl,
} from '@tapline/hls';
import type { ChannelPlace } from './channel-objects.ts';
import { fetchWhole } from './fetch-whole.ts';
import { judgeAnswer } from './judge-answer.ts';
import { pathBelow } from './path-below.ts';

/** What a player that begins now gets. */
export interface StreamSight {
  /** For the playlists and the newest segment, one after the other. */
  readonly firstSegmentSeconds: number;
  /** Where a live playlist ends; absent of what has ended, as a film. */
  readonly live?: {
    /** The last segment, and the parts after it: another text is that it went on. */
    readonly edge: string;
    readonly targetSeconds: number;
  };
  readonly asked: { readonly requests: number; readonly hits: number };
}

/**
 * Asks an edge as a player does that begins: for the playlist, for the smallest rendition, and for the
 * newest segment of that, or the first one of a film. Throws `origin_failed`, `not_below_channel`, and
 * what parsing does.
 */
export async function lookAtStream(
  { base, playlist }: ChannelPlace,
  init: { readonly maxObjectBytes: number; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<StreamSight> {
  const { clock, signal } = init;
  const fromMs = clock.monotonic();
  const asked = { requests: 0, hits: 0 };

  async function get(url: string, maxBytes: number): Promise<Uint8Array> {
    pathBelow(base, url, playlist);
    asked.requests += 1;
    const { status, cacheStatus, bytes } = await fetchWhole(url, { signal, maxBytes });
    if (judgeAnswer(status, cacheStatus) === 'hit') asked.hits += 1;
    if (status === 200) return Buffer.concat(bytes);
    throw new TaplineError('origin_failed', `${new URL(url).pathname} answers ${status}`);
  }
  const read = async (url: string): Promise<Playlist> =>
    parsePlaylist(await get(url, defaultPlaylistLimits.maxBytes)).playlist;

  let url = base + playlist;
  let found = await read(url);
  if (found.kind === 'multivariant') {
    url = smallestRendition(found, url);
    found = await read(url);
  }
  if (found.kind !== 'media') {
    throw new TaplineError('invalid_playlist', `${new URL(url).pathname} is no media playlist`);
  }
  const media = mediaUrls(found, url).urls.filter(
    ({ kind }) => kind === 'segment' || kind === 'part',
  );
  const first = found.ended ? media[0] : media.at(-1);
  if (first !== undefined) await get(first.url, init.maxObjectBytes);
  const firstSegmentSeconds = Math.round(clock.monotonic() - fromMs) / 1000;
  if (found.ended) return { firstSegmentSeconds, asked };
  const { lastMsn, partsAfter } = liveEdge(found);
  const live = { edge: `${lastMsn}.${partsAfter}`, targetSeconds: found.targetDuration };
  return { firstSegmentSeconds, live, asked };
}

function smallestRendition({ variants }: MultivariantPlaylist, url: string): string {
  const [smallest] = variants
    .filter(({ iFrames }) => !iFrames)
    .toSorted((a, b) => a.bandwidth - b.bandwidth);
  const found = smallest === undefined ? undefined : resolveUrl(smallest.uri, url);
  if (found !== undefined) return found;
  throw new TaplineError('invalid_playlist', `${new URL(url).pathname} names no rendition`);
}
