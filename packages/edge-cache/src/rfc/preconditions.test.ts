import { expect, test } from 'vitest';
import type { HeaderFields } from './header-fields.ts';
import { formatHttpDate } from './http-date.ts';
import { isNotModified, rangeIsOfStored } from './preconditions.ts';

const now = Date.UTC(2026, 10, 26);
const modified = formatHttpDate(now - 60_000);
const stored = {
  fields: [
    ['etag', 'W/"a"'],
    ['last-modified', modified],
  ] as HeaderFields,
  responseTimeMs: now,
};

test.each<[HeaderFields, boolean]>([
  [[['if-none-match', '"a"']], true],
  [[['if-none-match', '"x", W/"a"']], true],
  [[['if-none-match', '*']], true],
  [[['if-none-match', '"x"']], false],
  [
    [
      ['if-none-match', '"x"'],
      ['if-modified-since', modified],
    ],
    false,
  ],
  [[['if-modified-since', modified]], true],
  [[['if-modified-since', formatHttpDate(now - 120_000)]], false],
  [[['if-modified-since', 'yesterday']], false],
])('%j: not modified is %s', (request, expected) => {
  expect(isNotModified(request, stored)).toBe(expected);
});

test('a range goes out only for the very same body', () => {
  expect(rangeIsOfStored([], stored)).toBe(true);
  expect(rangeIsOfStored([['if-range', 'W/"a"']], stored)).toBe(false);
  expect(rangeIsOfStored([['if-range', modified]], stored)).toBe(true);
  expect(rangeIsOfStored([['if-range', formatHttpDate(now)]], stored)).toBe(false);
  expect(rangeIsOfStored([['if-range', '"b"']], { ...stored, fields: [['etag', '"b"']] })).toBe(
    true,
  );
});
