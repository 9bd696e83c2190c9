import fc from 'fast-check';
import { parse, setOptions, types } from 'hls-parser';
import { expect, test } from 'vitest';
import type { MediaPlaylist } from '../playlist/media-playlist.ts';
import { arbitraryMediaPlaylist } from '../testing/arbitrary-media-playlist.ts';
import { lowLatencyPlaylist } from '../testing/low-latency-playlist.ts';
import { formatMediaPlaylist } from '../writing/format-media-playlist.ts';
import { parsePlaylist } from './parse-playlist.ts';

// Breaches of rules are no matter here; it would write each to the console.
setOptions({ strictMode: false, silent: true });

/** What hls-parser and we call by different names, in the same words. */
function theirs(text: string): unknown {
  const playlist = parse(text);
  if (!(playlist instanceof types.MediaPlaylist)) throw new Error('not a media playlist');
  const parts = playlist.segments.at(-1)?.uri === '' ? playlist.segments.at(-1)?.parts : [];
  return {
    targetDuration: playlist.targetDuration,
    mediaSequence: playlist.mediaSequenceBase,
    ended: playlist.endlist,
    partTarget: playlist.partTargetDuration,
    segments: playlist.segments
      .filter(({ uri }) => uri !== '')
      .map((segment) => ({
        uri: segment.uri,
        duration: segment.duration,
        discontinuity: segment.discontinuity ?? false,
        date: segment.programDateTime?.getTime(),
        offset: segment.byterange?.offset,
        length: segment.byterange?.length,
        parts: segment.parts.map(({ uri, duration }) => ({ uri, duration })),
      })),
    parts: (parts ?? [])
      .filter(({ hint }) => !hint)
      .map(({ uri, duration }) => ({ uri, duration })),
  };
}

function ours(text: string): unknown {
  const { playlist } = parsePlaylist(text);
  if (playlist.kind !== 'media') throw new Error('not a media playlist');
  return {
    targetDuration: playlist.targetDuration,
    mediaSequence: playlist.mediaSequence,
    ended: playlist.ended,
    partTarget: playlist.partTarget,
    segments: playlist.segments.map((segment) => ({
      uri: segment.uri,
      duration: segment.duration,
      discontinuity: segment.discontinuity,
      date: segment.programDateTime,
      offset: segment.byteRange?.offset,
      length: segment.byteRange?.length,
      parts: segment.parts.map(({ uri, duration }) => ({ uri, duration })),
    })),
    parts: playlist.parts.map(({ uri, duration }) => ({ uri, duration })),
  };
}

test('hls-parser reads the same out of what is written', () => {
  fc.assert(
    fc.property(arbitraryMediaPlaylist, (any) => {
      const playlist: MediaPlaylist = {
        ...any,
        // It knows keys of one format only, and drops what it takes for no playlist at all.
        segments: any.segments.map((segment) => ({ ...segment, keys: [] })),
      };
      fc.pre(playlist.segments.length > 0);
      const text = formatMediaPlaylist(playlist);
      expect(ours(text)).toEqual(theirs(text));
    }),
    { numRuns: 200 },
  );
  const text = formatMediaPlaylist(lowLatencyPlaylist());
  expect(ours(text)).toEqual(theirs(text));
});
