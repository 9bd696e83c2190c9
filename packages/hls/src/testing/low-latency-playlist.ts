import type { MediaPlaylist, PartialSegment } from '../playlist/media-playlist.ts';

/** A low-latency playlist that follows the rules: segments of four parts of half a second. */
export function lowLatencyPlaylist(
  init: {
    readonly first?: number;
    readonly segments?: number;
    /** Parts of the segment that is not there yet. */
    readonly parts?: number;
    readonly ended?: boolean;
  } = {},
): MediaPlaylist {
  const { first = 100, segments = 12, parts = 2, ended = false } = init;
  const next = first + segments;
  const partsOf = (msn: number, count: number): readonly PartialSegment[] =>
    Array.from({ length: count }, (_, index) => ({
      uri: `part-${msn}.${index}.m4s`,
      duration: 0.5,
      independent: index === 0,
      gap: false,
    }));
  return {
    kind: 'media',
    version: 9,
    independentSegments: true,
    targetDuration: 2,
    mediaSequence: first,
    discontinuitySequence: 0,
    ended,
    iFramesOnly: false,
    serverControl: {
      canBlockReload: true,
      canSkipUntil: 12,
      canSkipDateRanges: false,
      partHoldBack: 1.5,
    },
    partTarget: 0.5,
    segments: Array.from({ length: segments }, (_, index) => ({
      msn: first + index,
      uri: `seg-${first + index}.m4s`,
      duration: 2,
      title: '',
      discontinuity: false,
      gap: false,
      map: { uri: 'init.mp4' },
      // Parts are kept for three target durations.
      parts: segments - index <= 3 ? partsOf(first + index, 4) : [],
    })),
    parts: ended ? [] : partsOf(next, parts),
    preloadHints: ended ? [] : [{ type: 'PART', uri: `part-${next}.${parts}.m4s`, start: 0 }],
    renditionReports: [],
    dateRanges: [],
  };
}
