import { expect, test } from 'vitest';
import { parsePlaylist } from '../reading/parse-playlist.ts';
import { lowLatencyPlaylist } from '../testing/low-latency-playlist.ts';
import { playlistCacheSeconds } from './cache-seconds.ts';
import { hintedUrls, mediaUrls, multivariantUrls } from './channel-urls.ts';
import { edgeDistance } from './edge-distance.ts';
import { liveEdge } from './live-edge.ts';
import { resolveUrl } from './resolve-url.ts';
import { targetLatency } from './target-latency.ts';

const base = 'https://origin.example/news/live.m3u8?token=1';

test('a channel is its playlists, and each of these its keys, maps and segments', () => {
  const { playlist } = parsePlaylist(`#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",URI="en.m3u8"
#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="c",NAME="x",INSTREAM-ID="CC1"
#EXT-X-STREAM-INF:BANDWIDTH=1
low.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2
//cdn.example/high.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=3
low.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=4
file:///etc/passwd
`);
  if (playlist.kind !== 'multivariant') throw new Error('not multivariant');
  expect(multivariantUrls(playlist, base)).toMatchObject({
    urls: [
      { kind: 'playlist', url: 'https://origin.example/news/low.m3u8' },
      { kind: 'playlist', url: 'https://cdn.example/high.m3u8' },
      { kind: 'playlist', url: 'https://origin.example/news/en.m3u8' },
    ],
    elsewhere: ['file:///etc/passwd'],
  });
});

test('a rendition with ranges and a key', () => {
  const { playlist } = parsePlaylist(`#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-KEY:METHOD=AES-128,URI="data:text/plain,key"
#EXT-X-MAP:URI="all.mp4",BYTERANGE="100@0"
#EXT-X-BYTERANGE:50@100
#EXTINF:4,
all.mp4
#EXT-X-BYTERANGE:60
#EXTINF:4,
all.mp4
#EXT-X-GAP
#EXTINF:4,
lost.mp4
`);
  if (playlist.kind !== 'media') throw new Error('not media');
  const url = 'https://origin.example/news/all.mp4';
  expect(mediaUrls(playlist, base)).toMatchObject({
    urls: [
      { kind: 'map', url, byteRange: { length: 100, offset: 0 } },
      { kind: 'segment', url, msn: 0, duration: 4, byteRange: { length: 50, offset: 100 } },
      { kind: 'segment', url, msn: 1, duration: 4, byteRange: { length: 60, offset: 150 } },
    ],
    elsewhere: ['data:text/plain,key'],
  });
});

test('the end of a live rendition, with its parts and what is hinted', () => {
  const live = lowLatencyPlaylist();
  const { urls } = mediaUrls(live, base, { lastSeconds: 4 });
  expect(urls.filter(({ kind }) => kind === 'segment').map(({ msn }) => msn)).toEqual([110, 111]);
  expect(urls.filter(({ kind }) => kind === 'part')).toHaveLength(4 + 4 + 2);
  expect(hintedUrls(live, base).urls).toMatchObject([
    { kind: 'hint', url: 'https://origin.example/news/part-112.2.m4s' },
  ]);
});

test('addresses with credentials, and of other kinds, are none', () => {
  expect(resolveUrl('https://user:secret@other.example/a', base)).toBeUndefined();
  expect(resolveUrl('ftp://other.example/a', base)).toBeUndefined();
  expect(resolveUrl('http://[', base)).toBeUndefined();
  expect(resolveUrl('../a@b?c#d', base)).toBe('https://origin.example/a@b?c');
});

test('where a playlist ends, and how far another is behind', () => {
  const live = lowLatencyPlaylist();
  expect(liveEdge(live)).toEqual({ lastMsn: 111, partsAfter: 2, seconds: 25 });
  const dated = live.segments.map((segment, index) =>
    index === 3 ? { ...segment, programDateTime: 1_000_000 } : segment,
  );
  expect(liveEdge({ ...live, segments: dated }).date).toBe(1_000_000 + 9 * 2000 + 1000);
  expect(edgeDistance(live, live)).toEqual({ segments: 0, seconds: 0 });
  const behind = lowLatencyPlaylist({ first: 98, parts: 1 });
  expect(edgeDistance(live, behind)).toEqual({ segments: 2, seconds: 4.5 });
  expect(edgeDistance(behind, live)).toEqual({ segments: 0, seconds: 0 });
  const long = lowLatencyPlaylist({ first: 50, segments: 12, parts: 2 });
  expect(edgeDistance(live, long)).toEqual({ segments: 50, seconds: 100 });
});

test('target latency: what the server says, else three of what there is', () => {
  const live = lowLatencyPlaylist();
  const { serverControl: _, ...silent } = live;
  expect(targetLatency(live)).toBe(1.5);
  expect(targetLatency(silent)).toBe(1.5);
  expect(targetLatency(live, { lowLatency: false })).toBe(6);
  const { partTarget: __, ...classic } = silent;
  expect(targetLatency(classic)).toBe(6);
  expect(playlistCacheSeconds(live)).toBe(1);
  expect(playlistCacheSeconds({ ...classic, targetDuration: 6 })).toBe(3);
  expect(playlistCacheSeconds({ ...classic, ended: true })).toBe(86_400);
});
