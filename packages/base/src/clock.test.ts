import { describe, expect, test } from 'vitest';
import { ManualClock } from './manual-clock.ts';
import { systemClock } from './system-clock.ts';

describe('ManualClock', () => {
  test('wakes sleepers in the order they are due, at the time they are due', async () => {
    const clock = new ManualClock(0);
    const woken: [string, number][] = [];
    void clock.sleep(20).then(() => woken.push(['b', clock.now()]));
    void clock.sleep(10).then(() => woken.push(['a', clock.now()]));
    void clock.sleep(50).then(() => woken.push(['c', clock.now()]));
    await clock.advance(30);
    expect(woken).toEqual([
      ['a', 10],
      ['b', 20],
    ]);
    expect([clock.now(), clock.monotonic(), clock.pending]).toEqual([30, 30, 1]);
  });

  test('an aborted sleep rejects with the reason and is forgotten', async () => {
    const clock = new ManualClock();
    const abort = new AbortController();
    const sleep = clock.sleep(10, { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(sleep).rejects.toThrow('enough');
    expect(clock.pending).toBe(0);
  });
});

describe('systemClock', () => {
  test('sleeps at least roughly as long as asked, and not once aborted', async () => {
    const before = systemClock.monotonic();
    await systemClock.sleep(5);
    expect(systemClock.monotonic() - before).toBeGreaterThan(3);
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(systemClock.sleep(60_000, { signal: aborted })).rejects.toThrow('enough');
  });
});
