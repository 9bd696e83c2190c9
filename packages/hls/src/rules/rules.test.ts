import { describe, expect, test } from 'vitest';
import type { MediaPlaylist } from '../playlist/media-playlist.ts';
import { lowLatencyPlaylist } from '../testing/low-latency-playlist.ts';
import { checkPlaylist } from './check-playlist.ts';
import { checkUpdate } from './check-update.ts';
import { validatePlaylist } from './validate-playlist.ts';

const good = lowLatencyPlaylist();
const control = good.serverControl ?? { canBlockReload: true, canSkipDateRanges: false };

function codes(playlist: MediaPlaylist): readonly string[] {
  return [...new Set(checkPlaylist(playlist).map(({ code }) => code))];
}

test('a playlist that follows the rules has no findings', () => {
  expect(checkPlaylist(good)).toEqual([]);
});

describe('what breaks a rule is found', () => {
  const [first, ...rest] = good.segments;
  if (first === undefined) throw new Error('no segment');
  const lastWithShortPart = good.segments.map((segment) =>
    segment.msn === 111
      ? {
          ...segment,
          duration: 1.7,
          parts: segment.parts.map((part, index) =>
            index === 1 ? { ...part, duration: 0.2 } : part,
          ),
        }
      : segment,
  );
  test.each<readonly [string, Partial<MediaPlaylist>]>([
    ['duration-exceeds-target', { segments: [{ ...first, duration: 2.5 }, ...rest] }],
    ['no-segments', { segments: [], parts: [], mediaSequence: 0, preloadHints: [] }],
    ['vod-without-end', { type: 'VOD' }],
    ['live-too-short', { segments: good.segments.slice(-2), mediaSequence: 110 }],
    ['hold-back-too-short', { serverControl: { ...control, holdBack: 5 } }],
    ['skip-boundary-too-short', { serverControl: { ...control, canSkipUntil: 11 } }],
    [
      'skip-without-boundary',
      {
        skipped: { segments: 3, removedDateRanges: [] },
        serverControl: { canBlockReload: true, canSkipDateRanges: false, partHoldBack: 2 },
      },
    ],
    ['reload-not-blocking', { serverControl: { ...control, canBlockReload: false } }],
    ['part-hold-back-too-short', { serverControl: { ...control, partHoldBack: 0.9 } }],
    ['part-exceeds-target', { partTarget: 0.4, serverControl: { ...control, partHoldBack: 1.5 } }],
    ['part-too-short', { segments: lastWithShortPart }],
    [
      'parts-kept-too-long',
      {
        segments: good.segments.map((segment, index) =>
          index === 0 ? { ...segment, parts: good.parts.concat(good.parts) } : segment,
        ),
      },
    ],
    ['hint-repeated', { preloadHints: [...good.preloadHints, ...good.preloadHints] }],
    ['hint-after-end', { ended: true }],
    ['version-too-low', { version: 5 }],
  ])('%s', (code, change) => {
    expect(codes({ ...good, ...change })).toEqual([code]);
  });

  test('parts without a target, and parts that are not the segment', () => {
    const { partTarget: _, ...without } = good;
    expect(codes(without)).toEqual(['part-target-missing']);
    expect(
      codes({ ...good, segments: good.segments.map((one) => ({ ...one, duration: 1.9 })) }),
    ).toEqual(['parts-differ-from-segment']);
  });

  test('dates that jump', () => {
    const segments = good.segments.map((segment, index) => ({
      ...segment,
      programDateTime: index * 2000 + (index >= 6 ? 5000 : 0),
    }));
    expect(codes({ ...good, segments })).toEqual(['date-time-jumps']);
    const marked = segments.map((segment, index) => ({ ...segment, discontinuity: index === 6 }));
    expect(codes({ ...good, segments: marked })).toEqual([]);
  });

  test('of a multivariant playlist', () => {
    const text = `#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",DEFAULT=YES,URI="1"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",DEFAULT=YES,URI="2"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="t"
#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="mp4a.40.2",AUDIO="b"
v
`;
    expect(validatePlaylist(text).findings.map(({ code }) => code)).toEqual([
      'group-missing',
      'rendition-repeated',
      'default-repeated',
      'rendition-without-uri',
    ]);
    expect(
      validatePlaylist('#EXTM3U\n#EXT-X-SESSION-DATA:DATA-ID="a",VALUE="b"\n').findings,
    ).toEqual([expect.objectContaining({ code: 'no-variants' })]);
  });
});

describe('an update', () => {
  const later = lowLatencyPlaylist({ first: 101 });
  const [first, ...rest] = later.segments;
  if (first === undefined) throw new Error('no segment');

  test('by the rules has no findings', () => {
    expect(checkUpdate(good, later, { elapsedSeconds: 2 })).toEqual([]);
    expect(checkUpdate(good, good, { elapsedSeconds: 2.9 })).toEqual([]);
    expect(checkUpdate(good, lowLatencyPlaylist({ first: 500 }))).toEqual([]);
  });

  test.each<readonly [string, MediaPlaylist, MediaPlaylist]>([
    ['sequence-went-back', later, good],
    ['segment-changed', good, { ...later, segments: [{ ...first, uri: 'other' }, ...rest] }],
    ['segment-changed', good, { ...later, segments: [{ ...first, duration: 1 }, ...rest] }],
    ['segment-lost', good, { ...later, segments: later.segments.slice(0, 5) }],
    ['segment-lost', { ...good, type: 'EVENT' }, { ...later, type: 'EVENT' }],
    ['discontinuity-miscounted', good, { ...later, discontinuitySequence: 1 }],
    ['target-duration-changed', good, { ...later, targetDuration: 3 }],
    ['end-withdrawn', { ...good, ended: true }, later],
  ])('%s', (code, older, newer) => {
    expect(new Set(checkUpdate(older, newer).map((finding) => finding.code))).toEqual(
      new Set([code]),
    );
  });

  test('that brings nothing for long', () => {
    expect(checkUpdate(good, good, { elapsedSeconds: 3.1 })).toEqual([
      expect.objectContaining({ code: 'not-updated' }),
    ]);
    expect(checkUpdate(good, lowLatencyPlaylist({ parts: 3 }), { elapsedSeconds: 9 })).toEqual([]);
  });

  test('discontinuities that leave the playlist are counted', () => {
    const marked = (playlist: MediaPlaylist): MediaPlaylist => ({
      ...playlist,
      segments: playlist.segments.map((segment) => ({
        ...segment,
        discontinuity: segment.msn === 101,
      })),
    });
    const two = lowLatencyPlaylist({ first: 102 });
    expect(checkUpdate(marked(good), marked(later))).toEqual([]);
    expect(checkUpdate(marked(good), { ...two, discontinuitySequence: 1 })).toEqual([]);
    expect(checkUpdate(marked(good), two)).toEqual([
      expect.objectContaining({ code: 'discontinuity-miscounted' }),
    ]);
  });
});
