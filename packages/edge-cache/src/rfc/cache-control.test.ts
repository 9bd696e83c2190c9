import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deltaSeconds, listedFields, parseCacheControl } from './cache-control.ts';

test('directives are read with their arguments, in any case', () => {
  const directives = parseCacheControl('Max-Age=60, no-CACHE="Set-Cookie, a", public');
  expect(deltaSeconds(directives, 'max-age')).toBe(60);
  expect(listedFields(directives, 'no-cache')).toEqual(['set-cookie', 'a']);
  expect(directives.get('public')).toBe(true);
});

test.each([
  ['extension="max-age=3600", max-age=1', 1],
  ['max-age=1, extension="max-age=3600"', 1],
  ['extension="a\\", max-age=3600", max-age=1', 1],
  ['max-age="60"', 60],
  ['max-age=0060', 60],
  ['max-age=1800, max-age=1', 1800],
  ['max-age=99999999999', 2 ** 31],
  ["max-age='60'", 0],
  ['max-age=60a', 0],
  ['max-age=-60', 0],
  ['max-age= 60', 0],
  ['max-age', 0],
  ['max-age =60', undefined],
  ['', undefined],
])('%s has a max-age of %s', (value, seconds) => {
  expect(deltaSeconds(parseCacheControl(value), 'max-age')).toBe(seconds);
});

test('anything at all is read without a failure', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const seconds = deltaSeconds(parseCacheControl(text), 'max-age');
      expect(seconds === undefined || (seconds >= 0 && seconds <= 2 ** 31)).toBe(true);
    }),
  );
});
