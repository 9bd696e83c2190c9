import { expect, test } from 'vitest';
import {
  brokenBlockingReload,
  canonicalTarget,
  isBlockingReload,
  kindOfTarget,
} from './request-target.ts';

test('directives of LL-HLS come in one order, and the rest stays as it is', () => {
  const expected = '/a.m3u8?x=1&y&_HLS_msn=7&_HLS_part=2&_HLS_skip=YES';
  expect(canonicalTarget('/a.m3u8?_HLS_part=2&x=1&_HLS_skip=YES&_HLS_msn=7&y')).toBe(expected);
  expect(canonicalTarget(expected)).toBe(expected);
  expect(canonicalTarget('/a?b=2&a=1')).toBe('/a?b=2&a=1');
});

test('blocking reloads are known, and broken ones refused', () => {
  expect(isBlockingReload('/a.m3u8?x&_HLS_msn=1')).toBe(true);
  expect(isBlockingReload('/_HLS_msn=1')).toBe(false);
  expect(brokenBlockingReload('/a.m3u8?_HLS_msn=1&_HLS_part=0')).toBeUndefined();
  for (const query of ['_HLS_part=1', '_HLS_msn=-1', '_HLS_msn=x', '_HLS_msn=1&_HLS_msn=2']) {
    expect(brokenBlockingReload(`/a.m3u8?${query}`)).toBeDefined();
  }
});

test('what a path is to a player', () => {
  expect(['/a.m3u8?x', '/a.M4S', '/a.ts?b', '/a', '/ts'].map(kindOfTarget)).toEqual([
    'playlist',
    'segment',
    'segment',
    'other',
    'other',
  ]);
});
