import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LayeredMap } from './layered-map.ts';

test('says what a map says that was changed in place, and never changes itself', () => {
  const keys = fc.integer({ min: 0, max: 1500 });
  const change = fc.array(fc.tuple(keys, fc.option(fc.nat(), { nil: undefined })), {
    maxLength: 900,
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 4 }), (rounds) => {
      const plain = new Map<number, number>();
      let layered = new LayeredMap<number>();
      for (const round of rounds) {
        const [before, was] = [layered, [...layered.values()]];
        const changes = new Map(round);
        layered = layered.with(changes);
        for (const [key, value] of changes) {
          plain.delete(key);
          if (value !== undefined) plain.set(key, value);
        }
        expect([...before.values()]).toEqual(was);
        expect([...layered.values()]).toEqual([...plain.values()]);
        expect(layered.size).toBe(plain.size);
        for (const key of changes.keys()) expect(layered.get(key)).toBe(plain.get(key));
      }
    }),
    { numRuns: 30 },
  );
});
