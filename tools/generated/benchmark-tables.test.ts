import { expect, test } from 'vitest';
import { benchmarkRow } from '../../bench/result.ts';
import { benchmarkTable } from './benchmark-tables.ts';

test('a row shows ours, the peer, the ratio and whether the goal is met', () => {
  const row = { unit: 'ms', better: 'lower', goal: 1.5, goalOn: 'ratio' } as const;
  const table = benchmarkTable({
    name: 'deploy',
    date: '2026-01-02T03:04:05Z',
    machine: 'a machine',
    versions: {},
    rows: [
      benchmarkRow({ ...row, metric: 'a', ours: 28.31, peers: { runc: 20 } }),
      benchmarkRow({ ...row, metric: 'b', ours: 40, peers: { runc: 20 } }),
    ],
  });
  expect(table).toContain('`npm run bench -- deploy`, 2026-01-02, a machine:');
  expect(table).toContain('| a | 28.3 ms | runc 20 ms | 1.42× | ≤ 1.5× |');
  expect(table).toContain('| b | 40 ms | runc 20 ms | 2.00× | ≤ 1.5×: missed |');
});
