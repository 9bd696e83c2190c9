import { ManualClock } from '@tapline/base';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WakeTimer } from './wake-timer.ts';
import { Wakeups } from './wakeups.ts';

test('each is called at the earliest time that it was armed with, once, in order of time', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          timer: fc.nat({ max: 9 }),
          // 0 cancels.
          afterMs: fc.nat({ max: 50 }),
          passes: fc.nat({ max: 8 }),
        }),
        { maxLength: 80 },
      ),
      async (steps) => {
        const clock = new ManualClock();
        const wakeups = new Wakeups(clock);
        const called: { readonly timer: number; readonly atMs: number }[] = [];
        const expected: { readonly timer: number; readonly atMs: number }[] = [];
        const due = new Map<number, number>();
        const timers = Array.from({ length: 10 }, (_, timer) => {
          return new WakeTimer(wakeups, () => called.push({ timer, atMs: clock.monotonic() }));
        });
        const pass = async (ms: number): Promise<void> => {
          const untilMs = clock.monotonic() + ms;
          await clock.advance(ms);
          for (const [timer, atMs] of [...due].toSorted((a, b) => a[1] - b[1])) {
            if (atMs > untilMs) continue;
            expected.push({ timer, atMs });
            due.delete(timer);
          }
        };
        for (const { timer, afterMs, passes } of steps) {
          if (afterMs === 0) {
            timers[timer]?.cancel();
            due.delete(timer);
          } else {
            const atMs = clock.monotonic() + afterMs;
            timers[timer]?.arm(atMs);
            due.set(timer, Math.min(due.get(timer) ?? Infinity, atMs));
          }
          await pass(passes);
        }
        await pass(60);
        const sorted = (all: typeof called): typeof called => {
          return all.toSorted((a, b) => a.atMs - b.atMs || a.timer - b.timer);
        };
        expect(sorted(called)).toEqual(sorted(expected));
        expect(called.map(({ atMs }) => atMs)).toEqual(
          called.map(({ atMs }) => atMs).toSorted((a, b) => a - b),
        );
        expect(clock.pending).toBe(0);
      },
    ),
    { numRuns: 50 },
  );
});

test('many timers sleep in one', () => {
  const clock = new ManualClock();
  const wakeups = new Wakeups(clock);
  for (let at = 0; at < 1000; at += 1) new WakeTimer(wakeups, () => undefined).arm(1000 + at);
  expect(clock.pending).toBe(1);
});
