import { expect, it } from 'vitest';
import { stagePercentiles } from './stage-percentiles.ts';

it('gives times that were, by nearest rank', () => {
  const times = Array.from({ length: 100 }, (_, index) => ({ pulled: (index + 1) / 10 }));
  expect(stagePercentiles(times.toReversed())).toEqual([
    { name: 'pulled', p50Seconds: 5, p99Seconds: 9.9 },
  ]);
});

it('counts a stage over the devices that had it', () => {
  expect(stagePercentiles([{ pulled: 1 }, { ready: 3 }])).toEqual([
    { name: 'pulled', p50Seconds: 1, p99Seconds: 1 },
    { name: 'ready', p50Seconds: 3, p99Seconds: 3 },
  ]);
  expect(stagePercentiles([])).toEqual([]);
});
