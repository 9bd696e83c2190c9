import { type Clock, isTaplineError } from '@tapline/base';
import { channelObjects, type ChannelPlace } from './channel-objects.ts';
import { fetchWhole } from './fetch-whole.ts';

export interface PrimeOutcome {
  readonly objects: number;
  readonly bytes: number;
  /** What the origin did not give; players would not get it either. */
  readonly failed: number;
  readonly seconds: number;
}

/**
 * Puts a channel into the cache of an edge by asking it, one object after the other and no faster than
 * allowed, so that players come first: the newest of what its playlists name, then what else is
 * popular. Throws where the playlists cannot be read, or nothing at all was given.
 */
export async function primeEdge(
  place: ChannelPlace,
  init: {
    readonly lastSeconds: number;
    readonly objects: readonly string[];
    readonly bytesPerSecond: number;
    readonly maxObjectBytes: number;
    readonly clock: Clock;
    readonly signal: AbortSignal;
  },
): Promise<PrimeOutcome> {
  const { clock, signal } = init;
  const fromMs = clock.monotonic();
  const found = await channelObjects(place, init);
  const paths = [...new Set([...found.media, ...init.objects])];
  let [objects, bytes, failed] = [found.playlists.length, 0, 0];
  let last: unknown;
  for (const path of paths) {
    // After a pause the rest is not made up for: that would be a burst.
    const aheadMs = (bytes / init.bytesPerSecond) * 1000 - (clock.monotonic() - fromMs);
    if (aheadMs > 0) await clock.sleep(aheadMs, { signal });
    try {
      const { status, size } = await fetchWhole(place.base + path, {
        signal,
        keep: false,
        maxBytes: init.maxObjectBytes,
        // RFC 9218: in the background, whoever looks at it.
        headers: { priority: 'u=7' },
      });
      bytes += size;
      if (status === 200) objects += 1;
      else failed += 1;
    } catch (error) {
      if (!isTaplineError(error, 'origin_failed')) throw error;
      last = error;
      failed += 1;
    }
  }
  if (last !== undefined && failed === paths.length) throw last;
  return { objects, bytes, failed, seconds: (clock.monotonic() - fromMs) / 1000 };
}
