import { expect, test } from 'vitest';
import type { HeaderFields } from './header-fields.ts';
import { whyNotStored } from './storability.ts';
import { effectiveControl } from './targeted-control.ts';

function why(
  fields: HeaderFields,
  { method = 'GET', status = 200, request = [] as HeaderFields } = {},
): string | undefined {
  const control = effectiveControl(fields, 'tapline');
  return whyNotStored({
    method,
    requestFields: request,
    status,
    fields,
    control,
    responseTimeMs: 0,
  });
}

const authorized: HeaderFields = [['authorization', 'Bearer x']];

test('what is fresh, can be checked or is public is kept', () => {
  expect(why([['cache-control', 'max-age=1']])).toBeUndefined();
  expect(why([['etag', '"a"']])).toBeUndefined();
  expect(why([['cache-control', 'public']])).toBeUndefined();
  expect(why([])).toBe('no-freshness');
});

test.each<[string, HeaderFields]>([
  ['no-store', [['cache-control', 'max-age=9, no-store']]],
  ['private', [['cache-control', 'max-age=9, private']]],
  [
    'vary',
    [
      ['cache-control', 'max-age=9'],
      ['vary', 'a, *'],
    ],
  ],
  [
    'no-store',
    [
      ['cdn-cache-control', 'no-store'],
      ['cache-control', 'max-age=9'],
    ],
  ],
])('not kept: %s', (reason, fields) => {
  expect(why(fields)).toBe(reason);
});

test('fields of one user are taken out where the response names them', () => {
  expect(why([['cache-control', 'max-age=9, private="set-cookie"']])).toBeUndefined();
});

test('an answer to a user is kept only where it says that it is for all', () => {
  expect(why([['cache-control', 'max-age=9']], { request: authorized })).toBe('authorization');
  for (const allowed of ['public', 's-maxage=9', 'must-revalidate']) {
    expect(
      why([['cache-control', `max-age=9, ${allowed}`]], { request: authorized }),
    ).toBeUndefined();
  }
});

test('must-understand makes no-store count only for codes that are not understood', () => {
  const fields: HeaderFields = [['cache-control', 'max-age=9, no-store, must-understand']];
  expect(why(fields)).toBeUndefined();
  expect(why(fields, { status: 599 })).toBe('status');
});

test('other methods and parts are not kept', () => {
  expect(why([['cache-control', 'max-age=9']], { method: 'POST' })).toBe('method');
  expect(why([['cache-control', 'max-age=9']], { status: 206 })).toBe('status');
});
