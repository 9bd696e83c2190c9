import { ManualClock } from '@tapline/base';
import { expect, test } from 'vitest';
import { collectAtRest } from './collect-at-rest.ts';

test('collects once after the last work, again after more, and never once it is disposed', async () => {
  const clock = new ManualClock();
  let collected = 0;
  const rest = collectAtRest({ clock, quietMs: 5000, collect: () => (collected += 1) });
  await clock.advance(10_000);
  expect(collected).toBe(0);
  rest.worked();
  await clock.advance(4000);
  rest.worked();
  await clock.advance(4000);
  expect(collected).toBe(0);
  await clock.advance(1001);
  expect(collected).toBe(1);
  await clock.advance(60_000);
  expect(collected).toBe(1);
  rest.worked();
  await clock.advance(5001);
  expect(collected).toBe(2);
  rest.worked();
  await rest[Symbol.asyncDispose]();
  await clock.advance(5001);
  expect(collected).toBe(2);
});
