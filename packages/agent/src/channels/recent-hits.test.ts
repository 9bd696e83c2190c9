import { expect, test } from 'vitest';
import { type HitSample, recentHits, withSample } from './recent-hits.ts';

function after(samples: readonly (readonly [number, number, number])[]): readonly HitSample[] {
  return samples.reduce<readonly HitSample[]>(
    (all, [atMs, requests, hits]) => withSample(all, { atMs, requests, hits }),
    [],
  );
}

test('what players asked lately is between the oldest sample of the window and the newest', () => {
  expect(recentHits(after([]))).toBeUndefined();
  expect(recentHits(after([[0, 100, 90]]))).toBeUndefined();
  const two = after([
    [0, 100, 90],
    [1000, 140, 110],
  ]);
  expect(recentHits(two)).toEqual({ requests: 40, hits: 20, ratio: 0.5, seconds: 1 });
  const long = after([
    [0, 0, 0],
    [5000, 1000, 0],
    [12_000, 1100, 100],
    [16_000, 1200, 200],
  ]);
  // What was before the last sample that is older than the window does not count any more.
  expect(recentHits(long)).toEqual({ requests: 200, hits: 200, ratio: 1, seconds: 11 });
  expect(
    recentHits(
      after([
        [0, 100, 90],
        [1000, 10, 5],
      ]),
    ),
  ).toBeUndefined();
});
