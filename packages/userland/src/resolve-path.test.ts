import { expect, test } from 'vitest';
import { errno, LinuxError } from './errno.ts';
import { createMemoryFileSystem } from './memory-file-system.ts';
import { resolvePath } from './resolve-path.ts';

const bytes = Uint8Array.of(1);
const files = createMemoryFileSystem(
  {
    '/a/b/file': { bytes },
    '/a/empty': { directory: true },
    '/link': { link: 'a/b' },
    '/a/b/up': { link: '../empty' },
    '/absolute': { link: '/a/b/file' },
    '/loop': { link: 'loop' },
    '/dangling': { link: 'nothing' },
  },
  { modifiedMs: 0 },
);

test.each<[string, string, string]>([
  ['/a/b/file', '/', '/a/b/file'],
  ['b/file', '/a', '/a/b/file'],
  ['../../a/./b//file', '/a/b', '/a/b/file'],
  ['/..', '/', '/'],
  ['/link/file', '/', '/a/b/file'],
  ['/link/up', '/', '/a/empty'],
  ['absolute', '/', '/a/b/file'],
  ['/link/', '/', '/a/b'],
])('%s from %s is %s', (path, from, expected) => {
  expect(resolvePath(files, path, { from, followLast: true }).path).toBe(expected);
});

test('the last link is itself, if asked so', () => {
  const { path, node } = resolvePath(files, '/link', { from: '/', followLast: false });
  expect([path, node.kind]).toEqual(['/link', 'link']);
});

test.each<[string, number]>([
  ['', errno.noEntry],
  ['/nothing', errno.noEntry],
  ['/dangling', errno.noEntry],
  ['/a/b/file/x', errno.notDirectory],
  ['/a/b/file/', errno.notDirectory],
  ['/loop', errno.tooManyLinks],
  ['x'.repeat(5000), errno.nameTooLong],
])('%s is refused', (path, number) => {
  let refused: unknown;
  try {
    resolvePath(files, path, { from: '/', followLast: true });
  } catch (error) {
    refused = error;
  }
  expect(refused).toBeInstanceOf(LinuxError);
  expect(refused).toMatchObject({ errno: number });
});
