import { type Clock, isTaplineError } from '@tapline/base';
import { channelObjects, type ChannelPlace } from './channel-objects.ts';
import { fetchWhole } from './fetch-whole.ts';
import { judgeAnswer } from './judge-answer.ts';

export interface PrimeOutcome {
  readonly objects: number;
  readonly bytes: number;
  /** What the origin did not give; players would not get it either. */
  readonly failed: number;
  readonly seconds: number;
  /** What the edge was asked for, and how much of it was there before. */
  readonly asked: { readonly requests: number; readonly hits: number };
}

/** Small objects take a round trip each rather than the rate that is allowed: so many go together. */
const atOnce = 4;
const smallBytes = 64 * 1024;

/**
 * Puts a channel into the cache of an edge by asking it, no faster than allowed and a few small objects
 * at a time, so that players come first: the newest of what its playlists name, then what else is
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
  const asked = { ...found.asked };
  const running = new Set<Promise<void>>();
  let done = 0;
  let broken: { readonly error: unknown } | undefined;
  const meanBytes = (): number => (done === 0 ? 0 : bytes / done);

  async function prime(path: string): Promise<void> {
    asked.requests += 1;
    try {
      const { status, size, cacheStatus } = await fetchWhole(place.base + path, {
        signal,
        keep: false,
        maxBytes: init.maxObjectBytes,
        // RFC 9218: in the background, whoever looks at it.
        headers: { priority: 'u=7' },
      });
      bytes += size;
      if (judgeAnswer(status, cacheStatus) === 'hit') asked.hits += 1;
      if (status === 200) objects += 1;
      else failed += 1;
    } catch (error) {
      if (!isTaplineError(error, 'origin_failed')) broken ??= { error };
      last = error;
      failed += 1;
    }
    done += 1;
  }

  for (const path of paths) {
    const most = done > 0 && meanBytes() <= smallBytes ? atOnce : 1;
    while (running.size >= most) await Promise.race(running);
    // After a pause the rest is not made up for: that would be a burst.
    const sent = bytes + running.size * meanBytes();
    const aheadMs = (sent / init.bytesPerSecond) * 1000 - (clock.monotonic() - fromMs);
    if (aheadMs > 0) await clock.sleep(aheadMs, { signal });
    if (broken !== undefined) break;
    const one = prime(path).finally(() => running.delete(one));
    running.add(one);
  }
  await Promise.all(running);
  if (broken !== undefined) throw broken.error;
  if (last !== undefined && failed === paths.length) throw last;
  return { objects, bytes, failed, seconds: (clock.monotonic() - fromMs) / 1000, asked };
}
