import type { DeliveryStatus, StageTimes } from '@tapline/resources';

type StageSummary = NonNullable<DeliveryStatus['stages']>[number];

/** p50 and p99 of each stage over devices; the nearest-rank method, so each is a time that was. */
export function stagePercentiles(times: Iterable<StageTimes>): StageSummary[] {
  const byStage = new Map<string, number[]>();
  for (const stages of times) {
    for (const [name, seconds] of Object.entries(stages)) {
      const all = byStage.get(name);
      if (all === undefined) byStage.set(name, [seconds]);
      else all.push(seconds);
    }
  }
  return [...byStage].map(([name, seconds]) => {
    const sorted = Float64Array.from(seconds).toSorted();
    return { name, p50Seconds: nearestRank(sorted, 0.5), p99Seconds: nearestRank(sorted, 0.99) };
  });
}

function nearestRank(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
