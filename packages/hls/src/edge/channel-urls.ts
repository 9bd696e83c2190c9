import type { ByteRange, MediaPlaylist } from '../playlist/media-playlist.ts';
import type { MultivariantPlaylist } from '../playlist/multivariant-playlist.ts';
import { resolveUrl } from './resolve-url.ts';

/** Something a channel consists of, at an address of its own. */
export interface ChannelUrl {
  readonly kind: 'playlist' | 'segment' | 'part' | 'map' | 'key' | 'hint' | 'data';
  readonly url: string;
  /** Absent: the whole of it. */
  readonly byteRange?: ByteRange;
  /** Of the segment that it is, or is part of. */
  readonly msn?: number;
  /** Seconds of media, for rates and popularity. */
  readonly duration?: number;
}

/** What a playlist leads to: each address and range once, and what leads nowhere on the web. */
export interface ChannelUrls {
  readonly urls: readonly ChannelUrl[];
  /** URIs that are no address of http or https, as they stand in the playlist. */
  readonly elsewhere: readonly string[];
}

/** The media playlists and session data of a channel. */
export function multivariantUrls(playlist: MultivariantPlaylist, base: string): ChannelUrls {
  const collected = new Collector(base);
  for (const { uri } of playlist.variants) collected.add(uri, { kind: 'playlist' });
  for (const { uri } of playlist.renditions) {
    if (uri !== undefined) collected.add(uri, { kind: 'playlist' });
  }
  for (const { uri } of playlist.sessionData) {
    if (uri !== undefined) collected.add(uri, { kind: 'data' });
  }
  for (const { uri } of playlist.sessionKeys) {
    if (uri !== undefined) collected.add(uri, { kind: 'key' });
  }
  return collected;
}

/**
 * What a rendition consists of, oldest first, with each segment what it needs before it.
 * `lastSeconds` leaves out what ends earlier than that before the end; gaps are left out.
 */
export function mediaUrls(
  playlist: MediaPlaylist,
  base: string,
  { lastSeconds = Number.POSITIVE_INFINITY }: { readonly lastSeconds?: number } = {},
): ChannelUrls {
  const collected = new Collector(base);
  let left = playlist.segments.reduce((sum, { duration }) => sum + duration, 0);
  for (const segment of playlist.segments) {
    const { msn, uri, duration, byteRange, map, keys = [], parts, gap } = segment;
    left -= duration;
    if (left >= lastSeconds || gap) continue;
    for (const key of keys) if (key.uri !== undefined) collected.add(key.uri, { kind: 'key' });
    if (map !== undefined) collected.add(map.uri, { kind: 'map', ...ranged(map.byteRange) });
    for (const part of parts) {
      if (part.gap) continue;
      const { duration: seconds } = part;
      collected.add(part.uri, { kind: 'part', msn, duration: seconds, ...ranged(part.byteRange) });
    }
    collected.add(uri, { kind: 'segment', msn, duration, ...ranged(byteRange) });
  }
  const next = (playlist.segments.at(-1)?.msn ?? playlist.mediaSequence - 1) + 1;
  for (const { uri, duration, byteRange, gap } of playlist.parts) {
    if (!gap) collected.add(uri, { kind: 'part', msn: next, duration, ...ranged(byteRange) });
  }
  return collected;
}

/** Addresses that a server has to hold requests for, instead of answering 404 (§6.2.6). */
export function hintedUrls(playlist: MediaPlaylist, base: string): ChannelUrls {
  const collected = new Collector(base);
  for (const { uri, start, length } of playlist.preloadHints) {
    // Without a length the range is open, and it is the address that counts.
    const byteRange = length === undefined ? undefined : { offset: start, length };
    collected.add(uri, { kind: 'hint', ...ranged(byteRange) });
  }
  return collected;
}

class Collector implements ChannelUrls {
  readonly urls: ChannelUrl[] = [];
  readonly elsewhere: string[] = [];
  readonly #base: string;
  readonly #seen = new Set<string>();

  constructor(base: string) {
    this.#base = base;
  }

  add(uri: string, about: Omit<ChannelUrl, 'url'>): void {
    const url = resolveUrl(uri, this.#base);
    const { byteRange } = about;
    const range = byteRange === undefined ? '' : ` ${byteRange.offset}+${byteRange.length}`;
    const name = `${url ?? uri}${range}`;
    if (this.#seen.has(name)) return;
    this.#seen.add(name);
    if (url === undefined) this.elsewhere.push(uri);
    else this.urls.push({ ...about, url });
  }
}

function ranged(byteRange: ByteRange | undefined): { readonly byteRange?: ByteRange } {
  return byteRange === undefined ? {} : { byteRange };
}
