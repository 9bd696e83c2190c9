import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sameRuns } from './same-runs.ts';

test('runs cover all of the file in order, and those that are the same are', () => {
  const changes = fc.array(fc.nat({ max: 39_999 }), { maxLength: 6 });
  fc.assert(
    fc.property(changes, fc.nat({ max: 40_000 }), fc.nat({ max: 9000 }), (places, kept, more) => {
      const before = Buffer.alloc(40_000, 'abcdefg');
      const after = Buffer.concat([before.subarray(0, kept), Buffer.alloc(more, 'x')]);
      for (const place of places) if (place < after.length) after[place] = 0;
      let end = 0;
      for (const { from, to, isSame } of sameRuns(before, after)) {
        expect(from).toBe(end);
        end = to;
        const same = before.subarray(from, to).equals(after.subarray(from, to));
        expect(same || !isSame).toBe(true);
      }
      expect(end).toBe(after.length);
    }),
  );
});

test('one edit takes one page from the run', () => {
  const before = Buffer.alloc(100_000, 'abc');
  const after = Buffer.from(before);
  after[50_000] = 0;
  expect([...sameRuns(before, after)]).toEqual([
    { from: 0, to: 49_152, isSame: true },
    { from: 49_152, to: 53_248, isSame: false },
    { from: 53_248, to: 100_000, isSame: true },
  ]);
});
