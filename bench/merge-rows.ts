import type { BenchmarkRow } from './result.ts';

/** Rows of an earlier run, with those that were measured again in their places and new ones behind. */
export function mergeRows(
  earlier: readonly BenchmarkRow[],
  measured: readonly BenchmarkRow[],
): readonly BenchmarkRow[] {
  const again = new Map(measured.map((row) => [row.metric, row]));
  const kept = earlier.map((row) => {
    const now = again.get(row.metric);
    again.delete(row.metric);
    return now ?? row;
  });
  return [...kept, ...again.values()];
}
