import fc from 'fast-check';
import { expect, test } from 'vitest';
import { signal } from '../testing/samples.ts';
import type { Signal } from './signal.ts';
import { evidenceAgeMs, flapsOf, nextEntry, type BookEntry } from './signal-book.ts';

const signals = fc
  .array(fc.record({ order: fc.integer({ min: 0, max: 20 }), isDown: fc.boolean() }), {
    minLength: 1,
    maxLength: 20,
  })
  .map((all) =>
    all.map(({ order, isDown }) =>
      signal({ order, state: isDown ? 'down' : 'ok', sinceMs: order }),
    ),
  );

function entryAfter(all: readonly Signal[]): BookEntry {
  const [first, ...rest] = all;
  let entry = nextEntry(undefined, first ?? signal(), 0);
  for (const one of rest) entry = nextEntry(entry, one, 0);
  return entry;
}

test('late, repeated and reordered signals end in the same state', () => {
  const shuffled = signals.chain((all) =>
    fc.tuple(
      fc.constant(all),
      fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length }),
    ),
  );
  fc.assert(
    fc.property(shuffled, ([all, other]) => {
      const [one, another] = [entryAfter(all), entryAfter(other)];
      expect(another.signal).toEqual(one.signal);
      expect(another.history).toEqual(one.history);
      expect(flapsOf(another, 0)).toBe(flapsOf(one, 0));
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('an older signal is no confirmation, and one that is repeated is', () => {
  const entry = nextEntry(undefined, signal({ order: 5 }), 100);
  expect(nextEntry(entry, signal({ order: 4, state: 'ok' }), 200).seenMs).toBe(100);
  expect(nextEntry(entry, signal({ order: 5 }), 200).seenMs).toBe(200);
  expect(evidenceAgeMs(entry, () => undefined, 700)).toBe(600);
  expect(evidenceAgeMs(entry, () => 650, 700)).toBe(50);
});

test('a state stands from when it began, however often it is told', () => {
  const one = nextEntry(undefined, signal({ order: 1 }), 100);
  const again = nextEntry(one, signal({ order: 2 }), 200);
  expect(again.standsMs).toBe(100);
  const over = nextEntry(again, signal({ order: 3, state: 'ok' }), 300);
  expect(nextEntry(over, signal({ order: 4 }), 400).standsMs).toBe(400);
});
