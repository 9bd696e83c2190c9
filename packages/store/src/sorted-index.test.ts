import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRng } from '@tapline/base';
import { SortedIndex } from './sorted-index.ts';

test('agrees with a sorted array, over many splits and removals', () => {
  fc.assert(
    fc.property(fc.integer(), fc.string({ maxLength: 3 }), (seed, from) => {
      const rng = seededRng(seed);
      const index = new SortedIndex<Keyed>();
      const keys = new Set<string>();
      for (let step = 0; step < 3000; step++) {
        const key = Math.floor(rng() * 2000).toString(36);
        if (rng() < 0.3) {
          keys.delete(key);
          index.remove(key);
        } else if (!keys.has(key)) {
          keys.add(key);
          index.insert({ key });
        }
      }
      const expected = [...keys].filter((key) => key >= from).toSorted(byCodeUnit);
      expect(keysFrom(index, from)).toEqual(expected);
    }),
    { numRuns: 20 },
  );
});

test('is empty after the last removal', () => {
  const index = new SortedIndex<Keyed>();
  index.insert({ key: 'a' });
  index.remove('b');
  index.remove('a');
  index.remove('a');
  expect(keysFrom(index, '')).toEqual([]);
});

test('stops a scan where it is told to', () => {
  const index = new SortedIndex<Keyed>();
  for (const key of ['a', 'b', 'c']) index.insert({ key });
  const seen: string[] = [];
  index.scan('', ({ key }) => {
    seen.push(key);
    return key !== 'b';
  });
  expect(seen).toEqual(['a', 'b']);
});

interface Keyed {
  readonly key: string;
}

function keysFrom(index: SortedIndex<Keyed>, from: string): string[] {
  const keys: string[] = [];
  index.scan(from, ({ key }) => {
    keys.push(key);
    return true;
  });
  return keys;
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : 1;
}
