import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseByteRange } from './byte-range.ts';

test.each([
  [undefined, 10, { kind: 'full' }],
  ['bytes=0-', 10, { kind: 'part', start: 0, end: 10 }],
  ['bytes=3-5', 10, { kind: 'part', start: 3, end: 6 }],
  ['bytes=3-99', 10, { kind: 'part', start: 3, end: 10 }],
  ['bytes=-4', 10, { kind: 'part', start: 6, end: 10 }],
  ['bytes=-99', 10, { kind: 'part', start: 0, end: 10 }],
  ['bytes=10-', 10, { kind: 'unsatisfiable' }],
  ['bytes=-0', 10, { kind: 'unsatisfiable' }],
  ['bytes=0-', 0, { kind: 'unsatisfiable' }],
  ['bytes=5-3', 10, { kind: 'unsatisfiable' }],
  ['bytes=0-1,4-5', 10, { kind: 'full' }],
  ['lines=0-1', 10, { kind: 'full' }],
  ['bytes=-', 10, { kind: 'full' }],
])('%s of %i bytes', (header, size, expected) => {
  expect(parseByteRange(header, size)).toEqual(expected);
});

test('any part lies within the blob and is not empty', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.nat({ max: 1000 }), (first, last, size) => {
      for (const header of [`bytes=${first}-${last}`, `bytes=${first}-`, `bytes=-${last}`]) {
        const range = parseByteRange(header, size);
        if (range.kind !== 'part') continue;
        expect(range.start).toBeGreaterThanOrEqual(0);
        expect(range.end).toBeGreaterThan(range.start);
        expect(range.end).toBeLessThanOrEqual(size);
      }
    }),
  );
});
