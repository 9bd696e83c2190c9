import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HeaderFields } from './header-fields.ts';
import { variantKey, varyNames } from './vary.ts';

test('names are lower case, sorted and once each, over all lines', () => {
  expect(
    varyNames([
      ['vary', 'B, a'],
      ['vary', ', A'],
    ]),
  ).toEqual(['a', 'b']);
});

test('white space around commas makes no variant', () => {
  const key = (value: string): string => variantKey(['a'], [['a', value]]);
  expect(key('x,y')).toBe(key(' x ,  y '));
  expect(key('x,y')).not.toBe(key('xy'));
});

test('different values have different keys, however they are put together', () => {
  const value = fc.option(fc.string({ unit: fc.constantFrom('a', '"', ' ', '\\', ']', 'null') }), {
    nil: undefined,
  });
  const normal = (text: string | undefined): string | undefined =>
    text
      ?.split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .join(',');
  fc.assert(
    fc.property(value, value, value, value, (a, b, c, d) => {
      const fields = (x: string | undefined, y: string | undefined): HeaderFields => [
        ...(x === undefined ? [] : [['x', x] as const]),
        ...(y === undefined ? [] : [['y', y] as const]),
      ];
      const same = normal(a) === normal(c) && normal(b) === normal(d);
      expect(variantKey(['x', 'y'], fields(a, b)) === variantKey(['x', 'y'], fields(c, d))).toBe(
        same,
      );
    }),
  );
});
