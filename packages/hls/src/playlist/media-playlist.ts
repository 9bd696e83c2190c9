/** A part of a resource: `length` bytes from `offset`. */
export interface ByteRange {
  readonly length: number;
  readonly offset: number;
}

export interface EncryptionKey {
  /** NONE, AES-128, SAMPLE-AES, SAMPLE-AES-CTR, … */
  readonly method: string;
  readonly uri?: string;
  readonly iv?: string;
  readonly keyFormat?: string;
  readonly keyFormatVersions?: string;
}

/** The initialisation section that segments need before they can be decoded. */
export interface MediaMap {
  readonly uri: string;
  readonly byteRange?: ByteRange;
}

export interface PartialSegment {
  readonly uri: string;
  /** Seconds. */
  readonly duration: number;
  readonly independent: boolean;
  readonly gap: boolean;
  readonly byteRange?: ByteRange;
}

export interface MediaSegment {
  /** Its media sequence number. */
  readonly msn: number;
  readonly uri: string;
  /** Seconds. */
  readonly duration: number;
  readonly title: string;
  readonly discontinuity: boolean;
  readonly gap: boolean;
  readonly byteRange?: ByteRange;
  /** Kilobits per second, as EXT-X-BITRATE says. */
  readonly bitrate?: number;
  /** Milliseconds since the Unix epoch. */
  readonly programDateTime?: number;
  readonly map?: MediaMap;
  /** What it is encrypted with: empty where the playlist says nothing is, absent where it says nothing. */
  readonly keys?: readonly EncryptionKey[];
  readonly parts: readonly PartialSegment[];
}

export interface ServerControl {
  readonly canBlockReload: boolean;
  /** Seconds; absent where the server makes no delta updates. */
  readonly canSkipUntil?: number;
  readonly canSkipDateRanges: boolean;
  readonly holdBack?: number;
  readonly partHoldBack?: number;
}

export interface PreloadHint {
  readonly type: 'PART' | 'MAP';
  readonly uri: string;
  readonly start: number;
  readonly length?: number;
}

export interface RenditionReport {
  readonly uri: string;
  readonly lastMsn?: number;
  readonly lastPart?: number;
}

export interface DateRange {
  readonly id: string;
  /** Every attribute as it stands there, quotes and all, in its order. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** What an EXT-X-SKIP tag stands for. */
export interface SkippedPart {
  readonly segments: number;
  readonly removedDateRanges: readonly string[];
}

export interface PlaylistStart {
  readonly timeOffset: number;
  readonly precise: boolean;
}

/** A media playlist (RFC 8216bis §4): the segments of one rendition. */
export interface MediaPlaylist {
  readonly kind: 'media';
  readonly version: number;
  readonly independentSegments: boolean;
  readonly start?: PlaylistStart;
  /** Seconds. */
  readonly targetDuration: number;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly type?: 'EVENT' | 'VOD';
  /** Whether no segment will follow. */
  readonly ended: boolean;
  readonly iFramesOnly: boolean;
  readonly serverControl?: ServerControl;
  /** Seconds; absent where there are no partial segments. */
  readonly partTarget?: number;
  /** Present in a delta update, which stands for a whole playlist only with an older one. */
  readonly skipped?: SkippedPart;
  readonly segments: readonly MediaSegment[];
  /** Partial segments of the segment that is not there yet. */
  readonly parts: readonly PartialSegment[];
  readonly preloadHints: readonly PreloadHint[];
  readonly renditionReports: readonly RenditionReport[];
  readonly dateRanges: readonly DateRange[];
}
