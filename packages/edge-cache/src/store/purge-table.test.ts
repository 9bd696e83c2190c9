import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PurgeMode, purgeName, PurgeTable } from './purge-table.ts';

const limit = 1000;
const object = { channel: 'news', target: '/a', tags: ['one', 'two'] };

test('a purge is of what was asked for before it', () => {
  const table = new PurgeTable({ limit });
  const before = { ...object, generation: table.generation };
  table.purge(purgeName({ kind: 'tag', channel: 'news', tag: 'two' }), 'hard');
  expect(table.stateOf(before)).toBe('hard');
  expect(table.stateOf({ ...object, generation: table.generation })).toBe('valid');
  expect(table.stateOf({ ...before, channel: 'sport' })).toBe('valid');
});

test.each([
  purgeName({ kind: 'url', channel: 'news', target: '/a' }),
  purgeName({ kind: 'tag', channel: 'news', tag: 'one' }),
  purgeName({ kind: 'channel', channel: 'news' }),
  purgeName({ kind: 'all' }),
])('%s is of the object', (name) => {
  const table = new PurgeTable({ limit });
  table.purge(name, 'soft');
  expect(table.stateOf({ ...object, generation: 0 })).toBe('soft');
  table.purge(name, 'hard');
  expect(table.stateOf({ ...object, generation: 0 })).toBe('hard');
});

test('nothing that was purged is ever valid, also where names are put together', () => {
  const step = fc.record({
    name: fc.constantFrom('t news one', 't news two', 't news x', 'u news /a', 'u news /b'),
    mode: fc.constantFrom<PurgeMode>('hard', 'soft'),
  });
  fc.assert(
    fc.property(fc.array(step), fc.integer({ min: 2, max: 5 }), (steps, few) => {
      const [exact, bounded] = [new PurgeTable({ limit }), new PurgeTable({ limit: few })];
      for (const { name, mode } of steps) bounded.restore(exact.purge(name, mode));
      for (let generation = 0; generation <= steps.length; generation += 1) {
        const [right, got] = [exact, bounded].map((table) =>
          table.stateOf({ ...object, generation }),
        );
        // It may purge more than was asked for, never less.
        const strength = ['valid', 'soft', 'hard'];
        expect(strength.indexOf(got ?? '')).toBeGreaterThanOrEqual(strength.indexOf(right ?? ''));
      }
      expect(bounded.entries().length).toBeLessThanOrEqual(2 * (few + 1));
    }),
  );
});
