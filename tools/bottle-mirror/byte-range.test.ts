import fc from 'fast-check';
import { expect, test } from 'vitest';

import { parseByteRange } from './byte-range.ts';

test.each([
  ['bytes=0-0', { first: 0, last: 0 }],
  ['bytes=5-', { first: 5, last: 9 }],
  ['bytes=-3', { first: 7, last: 9 }],
  ['bytes=-30', { first: 0, last: 9 }],
  ['bytes=8-100', { first: 8, last: 9 }],
  ['bytes=10-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=5-4', undefined],
  ['bytes=-', undefined],
  ['bytes=0-1,3-4', undefined],
  ['lines=0-1', undefined],
  [undefined, undefined],
] as const)('%s of 10 bytes', (header, expected) => {
  expect(parseByteRange(header, 10)).toEqual(expected);
});

test('whatever is asked for lies inside the representation', () => {
  const position = fc.oneof(fc.constant(''), fc.nat().map(String));
  fc.assert(
    fc.property(position, position, fc.nat(1000), (from, to, size) => {
      const range = parseByteRange(`bytes=${from}-${to}`, size);
      if (typeof range !== 'object') return;
      expect(range.first).toBeGreaterThanOrEqual(0);
      expect(range.last).toBeGreaterThanOrEqual(range.first);
      expect(range.last).toBeLessThan(size);
    }),
  );
});
