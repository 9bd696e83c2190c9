import { expect, it } from 'vitest';
import { ManualClock } from '@tapline/base';
import type { Install } from '@tapline/resources';
import { createNotificationTimes } from './notification-times.ts';

function install(revision: number, total?: number): Install {
  const image = { repository: 'jq', digest: '', platform: '', sizeBytes: 0, unpackedBytes: 0 };
  return {
    apiVersion: 'tapline.dev/v1alpha1',
    kind: 'Install',
    metadata: { name: 'd1.jq' },
    spec: { device: 'd1', delivery: 'jq', formula: 'jq', version: '1', revision, image },
    ...(total === undefined
      ? {}
      : { status: { observedRevision: revision, state: 'Ready', stages: { total } } }),
  };
}

it('takes what the device measured off what passed here', async () => {
  const clock = new ManualClock();
  const times = createNotificationTimes(clock);
  times.written('d1.jq', 2);
  await clock.advance(500);
  expect(times.observed(install(2))).toBeUndefined();
  await clock.advance(500);
  expect(times.observed(install(2, 0.7))).toBeCloseTo(0.3);
  await clock.advance(500);
  expect(times.observed(install(2, 0.7))).toBeUndefined();
  expect(times.secondsOf(install(2, 0.7))).toBeCloseTo(0.3);
  expect(times.secondsOf(install(3))).toBeUndefined();
  times.forget('d1.jq');
  expect(times.secondsOf(install(2, 0.7))).toBeUndefined();
});

it('is never negative, however fast the clock of the device runs', () => {
  const times = createNotificationTimes(new ManualClock());
  times.written('d1.jq', 1);
  expect(times.observed(install(1, 5))).toBe(0);
});
