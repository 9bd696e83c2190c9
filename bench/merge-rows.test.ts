import { expect, test } from 'vitest';
import { mergeRows } from './merge-rows.ts';
import { type BenchmarkRow, benchmarkRow } from './result.ts';

function row(metric: string, ours: number): BenchmarkRow {
  return benchmarkRow({ metric, unit: 's', better: 'lower', ours, peers: {} });
}

test('what was measured again takes its place, what is new comes last, the rest stays', () => {
  expect(mergeRows([row('a', 1), row('b', 2)], [row('c', 3), row('b', 4)])).toEqual([
    row('a', 1),
    row('b', 4),
    row('c', 3),
  ]);
});
