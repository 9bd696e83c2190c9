import { expect, test } from 'vitest';
import { benchmarkRow } from './result.ts';

const row = {
  metric: 'm',
  unit: 'ms',
  better: 'lower' as const,
  ours: 30,
  goalOn: 'ratio' as const,
};

test('a ratio is ours against the best peer, and the goal is judged on it', () => {
  expect(benchmarkRow({ ...row, peers: { a: 20, b: 40 }, goal: 1.5 })).toMatchObject({
    ratio: 1.5,
    holds: true,
  });
  expect(benchmarkRow({ ...row, peers: { a: 19, b: 40 }, goal: 1.5 })).toMatchObject({
    holds: false,
  });
});

test('a row whose peer could not run does not hold', () => {
  expect(benchmarkRow({ ...row, peers: { a: undefined }, goal: 1.5 })).toMatchObject({
    ratio: undefined,
    holds: false,
  });
});
