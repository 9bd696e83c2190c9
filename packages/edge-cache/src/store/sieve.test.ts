import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Sieve } from './sieve.ts';

test('what was used stays, what was not goes, from the oldest on', () => {
  const sieve = new Sieve<number>({ capacity: 3 });
  for (const key of ['a', 'b', 'c']) sieve.set(key, 0, { size: 1 });
  sieve.get('a');
  sieve.set('d', 0, { size: 1 });
  expect([...sieve.entries()].map(([key]) => key)).toEqual(['a', 'c', 'd']);
  sieve.set('e', 0, { size: 1 });
  expect([...sieve.entries()].map(([key]) => key)).toEqual(['a', 'd', 'e']);
});

test('what is pinned stays, and what does not fit beside it is not taken', () => {
  const sieve = new Sieve<number>({ capacity: 3 });
  sieve.set('p', 1, { size: 2, pinned: true });
  for (const key of ['a', 'b', 'c']) sieve.set(key, 0, { size: 1 });
  expect(sieve.peek('p')).toBe(1);
  expect(sieve.set('large', 0, { size: 2 })).toBe(false);
});

test('it never holds more than it may, and answers what was set last', () => {
  const step = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    kind: fc.constantFrom('set', 'get', 'delete', 'pin'),
    size: fc.integer({ min: 1, max: 5 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const sieve = new Sieve<number>({ capacity: 8 });
      const model = new Map<string, number>();
      for (const [index, { key, kind, size }] of steps.entries()) {
        let expected = sieve.peek(key) === undefined ? undefined : model.get(key);
        if (kind === 'get') sieve.get(key);
        else if (kind === 'delete') {
          sieve.delete(key);
          expected = undefined;
        } else {
          const taken = sieve.set(key, index, { size, pinned: kind === 'pin' });
          expected = taken ? index : undefined;
          model.set(key, index);
        }
        expect(sieve.peek(key)).toBe(expected);
        expect(sieve.size).toBeLessThanOrEqual(8);
        expect([...sieve.entries()]).toHaveLength(sieve.count);
      }
    }),
  );
});
