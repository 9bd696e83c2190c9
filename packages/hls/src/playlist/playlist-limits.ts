/** How large a playlist may be. What exceeds a limit is refused, not cut. */
export interface PlaylistLimits {
  readonly maxBytes: number;
  readonly maxLineLength: number;
  /** Segments, parts, variants, renditions, dates and keys together. */
  readonly maxEntries: number;
  readonly maxFindings: number;
}

/** A day of two-second segments is 43 200 entries in about 2 MB. */
export const defaultPlaylistLimits: PlaylistLimits = {
  maxBytes: 8 * 1024 * 1024,
  maxLineLength: 16 * 1024,
  maxEntries: 100_000,
  maxFindings: 100,
};
