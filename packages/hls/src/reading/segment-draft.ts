import type {
  ByteRange,
  EncryptionKey,
  MediaMap,
  MediaSegment,
  PartialSegment,
} from '../playlist/media-playlist.ts';
import { defined } from '@tapline/base';

/** The tags read since the last segment; they are about the URI that follows. */
export interface SegmentDraft {
  duration?: number;
  title: string;
  discontinuity: boolean;
  gap: boolean;
  range?: { readonly length: number; readonly offset: number | undefined };
  programDateTime?: number;
  parts: PartialSegment[];
}

/** What goes on from segment to segment. */
export interface Carried {
  map?: MediaMap;
  keys?: readonly EncryptionKey[];
  bitrate?: number;
  /** Where the last byte range ended, and of which resource. */
  rangeEnd?: { readonly uri: string; readonly at: number } | undefined;
}

export function newSegmentDraft(): SegmentDraft {
  return { title: '', discontinuity: false, gap: false, parts: [] };
}

export function finishSegment(
  draft: SegmentDraft,
  about: { readonly msn: number; readonly uri: string; readonly carried: Carried },
): MediaSegment {
  const { msn, uri, carried } = about;
  const byteRange = draft.range && completeRange(draft.range, { uri, end: carried.rangeEnd });
  return {
    msn,
    uri,
    duration: draft.duration ?? 0,
    title: draft.title,
    discontinuity: draft.discontinuity,
    gap: draft.gap,
    parts: draft.parts,
    ...defined({
      byteRange,
      // RFC 8216bis §4.4.4.8: it says nothing about a segment that is a byte range.
      bitrate: byteRange === undefined ? carried.bitrate : undefined,
      programDateTime: draft.programDateTime,
      map: carried.map,
      keys: carried.keys,
    }),
  };
}

/** A range without an offset begins where the last one of the same resource ended. */
export function completeRange(
  range: { readonly length: number; readonly offset: number | undefined },
  about: { readonly uri: string; readonly end: Carried['rangeEnd'] },
): ByteRange {
  const { uri, end } = about;
  return {
    length: range.length,
    offset: range.offset ?? (end?.uri === uri ? end.at : 0),
  };
}
