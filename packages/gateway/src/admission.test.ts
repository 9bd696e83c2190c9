import { isTaplineError } from '@tapline/base';
import { expect, test } from 'vitest';
import { createAdmission } from './admission.ts';

function waitOf(attempt: () => void): number | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return isTaplineError(error, 'gateway_busy')
      ? (error.details['retryAfterMs'] as number)
      : Number.NaN;
  }
}

test('a fleet that comes at once is let in at the rate, each at most a few times', () => {
  const admission = createAdmission({ perSecond: 100, burst: 50 });
  const coming = Array.from({ length: 1000 }, () => ({ atMs: 0, tries: 0 }));
  const admitted: number[] = [];
  let tries = 0;
  while (coming.length > 0) {
    coming.sort((a, b) => b.atMs - a.atMs);
    const device = coming.pop();
    if (device === undefined) break;
    tries += 1;
    const waitMs = waitOf(() => admission.admit(device.atMs));
    if (waitMs === undefined) admitted.push(device.atMs);
    else coming.push({ atMs: device.atMs + waitMs, tries: device.tries + 1 });
  }
  expect(admitted.filter((atMs) => atMs === 0)).toHaveLength(50);
  // 950 more at 100 a second.
  expect(Math.max(...admitted)).toBeGreaterThan(9000);
  expect(Math.max(...admitted)).toBeLessThan(12_000);
  expect(tries).toBeLessThan(2100);
  for (let second = 1; second < 9; second += 1) {
    const within = admitted.filter((atMs) => atMs > second * 1000 && atMs <= (second + 1) * 1000);
    expect(within.length).toBeLessThanOrEqual(160);
  }
});

test('who comes alone is let in', () => {
  const admission = createAdmission({ perSecond: 10, burst: 1 });
  expect([0, 100, 200].map((nowMs) => waitOf(() => admission.admit(nowMs)))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
