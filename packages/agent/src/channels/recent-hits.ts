import type { RecentHits } from '@tapline/resources';

/** What players had asked at a time, since the edge started. */
export interface HitSample {
  readonly atMs: number;
  readonly requests: number;
  readonly hits: number;
}

/** How far back what players ask is added up. */
const windowMs = 10_000;

/** The samples that count after one more: those of the window, and the newest one before it. */
export function withSample(samples: readonly HitSample[], next: HitSample): readonly HitSample[] {
  const last = samples.at(-1);
  // The edge began anew.
  if (last !== undefined && (next.requests < last.requests || next.hits < last.hits)) return [next];
  const from = samples.findLastIndex(({ atMs }) => next.atMs - atMs >= windowMs);
  return [...samples.slice(Math.max(0, from)), next];
}

/** What players asked between the first and the last; undefined where there is no between. */
export function recentHits(samples: readonly HitSample[]): RecentHits | undefined {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined || first === last) return undefined;
  const requests = last.requests - first.requests;
  const hits = last.hits - first.hits;
  return {
    requests,
    hits,
    ratio: requests === 0 ? 0 : Math.round((hits / requests) * 10_000) / 10_000,
    seconds: Math.round((last.atMs - first.atMs) / 100) / 10,
  };
}
