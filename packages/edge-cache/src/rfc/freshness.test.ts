import { expect, test } from 'vitest';
import { freshnessLifetimeMs, initialAgeMs } from './freshness.ts';
import type { HeaderFields } from './header-fields.ts';
import { formatHttpDate } from './http-date.ts';
import { effectiveControl } from './targeted-control.ts';

const now = Date.UTC(2026, 10, 26);
const date = (offsetSeconds: number): string => formatHttpDate(now + offsetSeconds * 1000);

function lifetime(fields: HeaderFields, status = 200): number {
  const control = effectiveControl(fields, 'tapline');
  return freshnessLifetimeMs({ status, fields, control, responseTimeMs: now }) / 1000;
}

test.each<[string, number, HeaderFields]>([
  ['max-age', 60, [['cache-control', 'max-age=60']]],
  ['s-maxage before max-age', 5, [['cache-control', 'max-age=60, s-maxage=5']]],
  [
    'max-age before Expires',
    60,
    [
      ['cache-control', 'max-age=60'],
      ['expires', date(9)],
    ],
  ],
  [
    'Expires counts from Date',
    20,
    [
      ['date', date(-10)],
      ['expires', date(10)],
    ],
  ],
  [
    'a broken Expires is past',
    0,
    [
      ['expires', '0'],
      ['last-modified', date(-1000)],
    ],
  ],
  [
    'two Expires are past',
    0,
    [
      ['expires', date(9)],
      ['expires', date(9)],
    ],
  ],
  ['a tenth of the time since the change', 100, [['last-modified', date(-1000)]]],
  [
    'CDN-Cache-Control before all',
    7,
    [
      ['cdn-cache-control', 'max-age=7'],
      ['cache-control', 'max-age=60, s-maxage=5'],
    ],
  ],
  [
    'a broken CDN-Cache-Control is ignored',
    60,
    [
      ['cdn-cache-control', 'max-age=7,,'],
      ['cache-control', 'max-age=60'],
    ],
  ],
  [
    'Surrogate-Control before Cache-Control',
    9,
    [
      ['surrogate-control', 'max-age=9'],
      ['cache-control', 'max-age=60'],
    ],
  ],
  [
    'Surrogate-Control for another',
    60,
    [
      ['surrogate-control', 'max-age=9;other'],
      ['cache-control', 'max-age=60'],
    ],
  ],
])('%s: %s s', (_, seconds, fields) => {
  expect(lifetime(fields)).toBe(seconds);
});

test('no heuristics for a status that has none', () => {
  expect(lifetime([['last-modified', date(-1000)]], 503)).toBe(0);
});

test.each<[string, number, HeaderFields, number]>([
  ['none', 0, [], 0],
  ['Age', 30, [['age', '30']], 0],
  ['Age and the delay of the answer', 32, [['age', '30']], 2000],
  ['an answer that was held', 0, [['date', date(0)]], 2000],
  ['Date', 10, [['date', date(-10)]], 0],
  [
    'the larger of both',
    30,
    [
      ['date', date(-10)],
      ['age', '30'],
    ],
    0,
  ],
  ['a list on one line: the first', 0, [['age', '0,7200']], 0],
  [
    'two lines',
    Infinity,
    [
      ['age', '0'],
      ['age', '0'],
    ],
    0,
  ],
  ['letters', Infinity, [['age', 'abc']], 0],
  ['a sign', Infinity, [['age', '-1']], 0],
])('the age by %s is %s s', (_, seconds, fields, delayMs) => {
  expect(initialAgeMs(fields, { responseTimeMs: now, delayMs }) / 1000).toBe(seconds);
});
