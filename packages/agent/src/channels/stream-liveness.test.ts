import { expect, test } from 'vitest';
import { nextLiveness } from './stream-liveness.ts';

test('a live playlist is behind once it stood still for longer than one and a half target durations', () => {
  const seen = { edge: '17.0', targetSeconds: 4 };
  const first = nextLiveness(undefined, seen, 1000);
  expect(first).toEqual({ liveness: { edge: '17.0', sinceMs: 1000 }, behindSeconds: 0 });
  expect(nextLiveness(first.liveness, seen, 7000).behindSeconds).toBe(0);
  expect(nextLiveness(first.liveness, seen, 12_000).behindSeconds).toBe(5);
  expect(nextLiveness(first.liveness, { ...seen, edge: '17.1' }, 12_000)).toEqual({
    liveness: { edge: '17.1', sinceMs: 12_000 },
    behindSeconds: 0,
  });
});
