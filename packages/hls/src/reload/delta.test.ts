import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MediaPlaylist } from '../playlist/media-playlist.ts';
import { parsePlaylist } from '../reading/parse-playlist.ts';
import { checkPlaylist } from '../rules/check-playlist.ts';
import { arbitraryMediaPlaylist } from '../testing/arbitrary-media-playlist.ts';
import { lowLatencyPlaylist } from '../testing/low-latency-playlist.ts';
import { formatMediaPlaylist } from '../writing/format-media-playlist.ts';
import { applyDelta } from './apply-delta.ts';
import { makeDelta } from './make-delta.ts';

function overTheWire(playlist: MediaPlaylist): MediaPlaylist {
  const { playlist: read } = parsePlaylist(formatMediaPlaylist(playlist));
  if (read.kind !== 'media') throw new Error('not a media playlist');
  return read;
}

test('a delta update and an older playlist make the newer one', () => {
  fc.assert(
    fc.property(fc.nat(8), fc.nat(3), fc.integer({ min: 8, max: 40 }), (steps, parts, segments) => {
      const older = lowLatencyPlaylist({ segments });
      const newer = lowLatencyPlaylist({ first: 100 + steps, segments, parts });
      const update = overTheWire(makeDelta(newer));
      // Twelve seconds are six segments; the one at the boundary stays.
      expect(update.skipped?.segments ?? 0).toBeGreaterThan(segments - 9);
      fc.pre((update.skipped?.segments ?? 0) <= segments - steps);
      expect(applyDelta(older, update)).toEqual({ ...newer, version: 9 });
      expect(checkPlaylist(update)).toEqual([]);
    }),
  );
});

test('whatever the playlist, its own update leads back to it', () => {
  fc.assert(
    fc.property(arbitraryMediaPlaylist, (playlist) => {
      const update = makeDelta(playlist);
      const skipped = update.skipped?.segments ?? 0;
      const whole = applyDelta(playlist, overTheWire(update));
      expect(whole).toEqual({
        ...playlist,
        version: update.version,
        segments: playlist.segments.map((segment, index) =>
          index < skipped ? { ...segment, parts: [] } : segment,
        ),
      });
    }),
    { numRuns: 300 },
  );
});

test('dates that are said to be gone are gone', () => {
  const date = (id: string): MediaPlaylist['dateRanges'][number] => ({
    id,
    attributes: { ID: `"${id}"` },
  });
  const older = { ...lowLatencyPlaylist(), dateRanges: [date('a'), date('b')] };
  const update = {
    ...makeDelta(lowLatencyPlaylist()),
    skipped: { segments: 5, removedDateRanges: ['a'] },
    dateRanges: [date('c')],
  };
  expect(applyDelta(older, update).dateRanges.map(({ id }) => id)).toEqual(['b', 'c']);
});

test('an update that skips what is not known is refused', () => {
  const older = lowLatencyPlaylist({ first: 100, segments: 3 });
  const update = makeDelta(lowLatencyPlaylist({ first: 100, segments: 20 }));
  expect(() => applyDelta(older, update)).toThrow(
    expect.objectContaining({
      code: 'playlist_delta_unmatched',
      message: expect.stringMatching(/skips segments 100 to 11\d; 103 is not known/),
    }),
  );
});
