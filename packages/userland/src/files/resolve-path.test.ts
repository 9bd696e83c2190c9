import { expect, test } from 'vitest';
import { errno, LinuxError } from '../errno.ts';
import type { DirectoryInode } from './inode.ts';
import { createMemoryFileSystem } from './memory-file-system.ts';
import { findPlace, type PathContext, pathInside, resolvePath } from './resolve-path.ts';
import { testTree } from '../testing/test-tree.ts';

const bytes = Uint8Array.of(1);
const root = testTree(
  createMemoryFileSystem(
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
  ),
);

function context(from: string): PathContext {
  const credentials = { uid: 0, gid: 0, groups: [] };
  const base = { root, credentials, viewer: { pid: 1, tid: 1 } };
  const folder = resolvePath({ ...base, from: root }, from, { followLast: true });
  return { ...base, from: folder as DirectoryInode };
}

test.each<[string, string, string]>([
  ['/a/b/file', '/', '/a/b/file'],
  ['b/file', '/a', '/a/b/file'],
  ['../../a/./b//file', '/a/b', '/a/b/file'],
  ['/link/file', '/', '/a/b/file'],
  ['/link/up', '/', '/a/empty'],
  ['absolute', '/', '/a/b/file'],
  ['/link/', '/', '/a/b'],
])('%s from %s is %s', (path, from, expected) => {
  const { parent, name } = findPlace(context(from), path, { followLast: true });
  expect(pathInside(parent, name, root)).toBe(expected);
});

test('nothing is above the root', () => {
  expect(resolvePath(context('/'), '/../..', { followLast: true })).toBe(root);
});

test('the last link is itself, if asked so', () => {
  expect(resolvePath(context('/'), '/link', { followLast: false }).kind).toBe('link');
});

test.each<[string, number]>([
  ['', errno.noEntry],
  ['/nothing', errno.noEntry],
  ['/dangling', errno.noEntry],
  ['/a/b/file/x', errno.notDirectory],
  ['/a/b/file/', errno.notDirectory],
  ['/a/b/file/.', errno.notDirectory],
  ['/loop', errno.tooManyLinks],
  ['x'.repeat(300), errno.nameTooLong],
  ['x/'.repeat(2500), errno.nameTooLong],
])('%s is refused', (path, number) => {
  let refused: unknown;
  try {
    resolvePath(context('/'), path, { followLast: true });
  } catch (error) {
    refused = error;
  }
  expect(refused).toBeInstanceOf(LinuxError);
  expect(refused).toMatchObject({ errno: number });
});
