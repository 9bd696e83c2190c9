import { TaplineError } from '@tapline/base';
import {
  defaultPlaylistLimits,
  mediaUrls,
  multivariantUrls,
  parsePlaylist,
  type Playlist,
} from '@tapline/hls';
import { fetchWhole } from './fetch-whole.ts';
import { judgeAnswer } from './judge-answer.ts';
import { pathBelow } from './path-below.ts';

/** What a channel consists of at an edge, as paths below the channel. */
export interface ChannelObjects {
  readonly playlists: readonly string[];
  /** Segments, parts, maps and keys, the newest first. */
  readonly media: readonly string[];
  /** How many of the playlists were asked for and came out of the cache. */
  readonly asked: { readonly requests: number; readonly hits: number };
}

/** A channel at an edge. */
export interface ChannelPlace {
  /** `http://host:port/news/`. */
  readonly base: string;
  /** What players begin with, below it. */
  readonly playlist: string;
}

/**
 * What the playlists of a channel name, through the edge itself, so that they are in its cache.
 * Throws `origin_failed`, `not_below_channel` where a playlist leads elsewhere, and what parsing does.
 */
export async function channelObjects(
  { base, playlist }: ChannelPlace,
  { lastSeconds, signal }: { readonly lastSeconds: number; readonly signal: AbortSignal },
): Promise<ChannelObjects> {
  const playlists: string[] = [playlist];
  const media: string[] = [];
  const asked = { requests: 0, hits: 0 };
  const read = async (url: string): Promise<Playlist> => {
    const found = await readPlaylist(url, signal);
    asked.requests += 1;
    if (found.isHit) asked.hits += 1;
    return found.playlist;
  };
  const first = await read(base + playlist);
  if (first.kind === 'media') media.push(...mediaOf(first, base, base + playlist, lastSeconds));
  else {
    for (const { kind, url } of multivariantUrls(first, base + playlist).urls) {
      const path = pathBelow(base, url, playlist);
      if (kind !== 'playlist') continue;
      playlists.push(path);
      const rendition = await read(url);
      if (rendition.kind !== 'media') {
        throw new TaplineError('invalid_playlist', `${path} is no media playlist`);
      }
      media.push(...mediaOf(rendition, base, url, lastSeconds));
    }
  }
  return { playlists: [...new Set(playlists)], media: [...new Set(media)], asked };
}

async function readPlaylist(
  url: string,
  signal: AbortSignal,
): Promise<{ readonly playlist: Playlist; readonly isHit: boolean }> {
  const { status, cacheStatus, bytes } = await fetchWhole(url, {
    signal,
    maxBytes: defaultPlaylistLimits.maxBytes,
  });
  if (status !== 200) {
    throw new TaplineError('origin_failed', `playlist ${new URL(url).pathname} answers ${status}`, {
      hint: 'look whether the origin of the channel has it',
    });
  }
  const { playlist } = parsePlaylist(Buffer.concat(bytes));
  return { playlist, isHit: judgeAnswer(status, cacheStatus) === 'hit' };
}

function mediaOf(
  playlist: Extract<Playlist, { kind: 'media' }>,
  base: string,
  url: string,
  lastSeconds: number,
): readonly string[] {
  return mediaUrls(playlist, url, { lastSeconds })
    .urls.map((one) => pathBelow(base, one.url, url))
    .toReversed();
}
