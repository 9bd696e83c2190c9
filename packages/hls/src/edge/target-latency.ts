import type { MediaPlaylist } from '../playlist/media-playlist.ts';

/**
 * Seconds behind the end of the playlist at which a client plays (RFC 8216bis §4.4.3.8): what the
 * server says, else three target durations. Low latency counts where there are parts.
 */
export function targetLatency(
  playlist: MediaPlaylist,
  { lowLatency = true }: { readonly lowLatency?: boolean } = {},
): number {
  const { serverControl: control, partTarget, targetDuration } = playlist;
  if (lowLatency && partTarget !== undefined) return control?.partHoldBack ?? 3 * partTarget;
  return control?.holdBack ?? 3 * targetDuration;
}
