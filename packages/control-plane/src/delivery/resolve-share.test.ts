import { expect, it } from 'vitest';
import { resolveShare } from './resolve-share.ts';

it.each([
  [3, 100, 3],
  ['100%', 7, 7],
  ['25%', 10, 3],
  ['1%', 10, 1],
  ['0%', 10, 0],
  ['50%', 0, 0],
])('%s of %i is %i', (share, total, expected) => {
  expect(resolveShare(share, total)).toBe(expected);
});
