import { expect, test } from 'vitest';
import { classifyWhiteout } from './whiteout.ts';

test.each([
  ['a/b', { kind: 'none' }],
  ['a/.wh.b', { kind: 'remove', path: 'a/b' }],
  ['.wh.b', { kind: 'remove', path: 'b' }],
  ['a/.wh.b/c', { kind: 'none' }],
  ['a/.wh..wh..opq', { kind: 'opaque', directory: 'a' }],
  ['.wh..wh..opq', { kind: 'opaque', directory: '.' }],
  ['a/.wh..wh.plnk', { kind: 'reserved' }],
  ['a/.wh..', { kind: 'reserved' }],
  ['a/.wh...', { kind: 'reserved' }],
  ['a/.wh.', { kind: 'reserved' }],
  ['a/.wh..hidden', { kind: 'remove', path: 'a/.hidden' }],
])('%s', (path, expected) => {
  expect(classifyWhiteout(path)).toEqual(expected);
});
