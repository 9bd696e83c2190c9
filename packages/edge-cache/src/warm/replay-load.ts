import { type Clock, type Rng, TaplineError } from '@tapline/base';
import { channelObjects, type ChannelPlace } from './channel-objects.ts';
import { fetchWhole } from './fetch-whole.ts';
import { type AnswerVerdict, judgeAnswer } from './judge-answer.ts';
import { createZipf } from './zipf.ts';

export interface LoadOutcome {
  readonly requests: number;
  readonly hits: number;
  readonly ratio: number;
  readonly misses: { readonly content: number; readonly health: number; readonly other: number };
  readonly seconds: number;
  /** Until the last byte of an answer. */
  readonly p99Ms: number;
}

/** So many answers are waited for at once; who asks for more gets them later. */
const mostWaiting = 64;

/**
 * Asks an edge as players would, at a steady rate, and counts what its cache answered: paths in the
 * order of a recording, or drawn from what the playlists name and what else is popular.
 */
export async function replayLoad(
  place: ChannelPlace,
  init: {
    readonly requests: number;
    readonly requestsPerSecond: number;
    readonly zipf: number;
    readonly lastSeconds: number;
    readonly objects: readonly string[];
    readonly recorded?: readonly string[];
    readonly maxObjectBytes: number;
    readonly clock: Clock;
    readonly rng: Rng;
    readonly signal: AbortSignal;
  },
): Promise<LoadOutcome> {
  const { clock, requests, signal } = init;
  const next = init.recorded === undefined ? await drawn(place, init) : inOrder(init.recorded);
  const fromMs = clock.monotonic();
  const counts: Record<AnswerVerdict, number> = { hit: 0, content: 0, health: 0, other: 0 };
  const times: number[] = [];
  const waiting = new Set<Promise<void>>();
  for (let sent = 0; sent < requests; sent += 1) {
    const dueMs = fromMs + (sent * 1000) / init.requestsPerSecond;
    const leftMs = dueMs - clock.monotonic();
    if (leftMs > 0) await clock.sleep(leftMs, { signal });
    while (waiting.size >= mostWaiting) await Promise.race(waiting);
    const one = ask(place.base + next()).finally(() => waiting.delete(one));
    waiting.add(one);
  }
  await Promise.all(waiting);
  signal.throwIfAborted();
  const sorted = times.toSorted((a, b) => a - b);
  const { hit, ...misses } = counts;
  return {
    requests,
    hits: hit,
    ratio: Math.round((hit / requests) * 10_000) / 10_000,
    misses,
    seconds: Math.round(clock.monotonic() - fromMs) / 1000,
    p99Ms: Math.round((sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0) * 1000) / 1000,
  };

  async function ask(url: string): Promise<void> {
    const askedMs = clock.monotonic();
    try {
      const { status, cacheStatus } = await fetchWhole(url, {
        signal,
        keep: false,
        maxBytes: init.maxObjectBytes,
      });
      counts[judgeAnswer(status, cacheStatus)] += 1;
    } catch {
      // Not whole, or not at all: that is what the edge's health is.
      counts.health += 1;
    }
    times.push(clock.monotonic() - askedMs);
  }
}

async function drawn(
  place: ChannelPlace,
  init: Parameters<typeof replayLoad>[1],
): Promise<() => string> {
  const { playlists, media } = await channelObjects(place, init);
  const paths = [...new Set([...playlists, ...media, ...init.objects])];
  const rank = createZipf(paths.length, { exponent: init.zipf, rng: init.rng });
  return () => paths[rank()] ?? place.playlist;
}

function inOrder(paths: readonly string[]): () => string {
  if (paths.length === 0) throw new TaplineError('invalid_load', 'the recorded load is empty');
  let at = 0;
  return () => paths[at++ % paths.length] ?? '';
}
