/** The upper bound of the bucket that a quantile of `tapline_ops_decision_seconds` is in. */
export function decisionQuantile(
  metrics: string,
  quantile: number,
): { readonly seconds: number; readonly count: number } {
  const buckets = new Map<number, number>();
  const lines = metrics.matchAll(
    /^tapline_ops_decision_seconds_bucket\{le="([^"]+)",outcome="[a-z]+"\} (\d+)$/gm,
  );
  for (const [, le = '', count = '0'] of lines) {
    const bound = le === '+Inf' ? Infinity : Number(le);
    buckets.set(bound, (buckets.get(bound) ?? 0) + Number(count));
  }
  const count = buckets.get(Infinity) ?? 0;
  const sorted = [...buckets].toSorted(([a], [b]) => a - b);
  const found = sorted.find(([, below]) => below >= quantile * count);
  return { seconds: found?.[0] ?? Infinity, count };
}
