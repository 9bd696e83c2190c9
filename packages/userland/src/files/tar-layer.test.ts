import { concatBytes } from '@tapline/base';
import { encodeTar, type TarMember } from '@tapline/oci';
import { expect, test } from 'vitest';
import { bytesOf } from '../byte-string.ts';
import { testTree } from '../testing/test-tree.ts';
import type { DirectoryInode, Inode } from './inode.ts';
import { resolvePath } from './resolve-path.ts';
import { tarLayers } from './tar-layer.ts';

function archive(...members: readonly TarMember[]): Uint8Array {
  return concatBytes([...encodeTar(members)]);
}

const base = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 5 };

function file(path: string, content: string): TarMember {
  const bytes = bytesOf(content);
  return { entry: { ...base, kind: 'file', path, size: bytes.length }, data: bytes };
}

function link(kind: 'symlink' | 'hardlink', path: string, linkTarget: string): TarMember {
  return { entry: { ...base, kind, path, size: 0, linkTarget } };
}

function find(root: DirectoryInode, path: string): Inode {
  const credentials = { uid: 0, gid: 0, groups: [] };
  const context = { root, from: root, credentials, viewer: { pid: 1, tid: 1 } };
  return resolvePath(context, path, { followLast: true });
}

function text(inode: Inode): string {
  if (inode.kind !== 'file') return inode.kind;
  return new TextDecoder().decode(inode.content.read(0, 100));
}

test('what a layer above has takes the place of what is below, and removes it', () => {
  const root = testTree(
    tarLayers([
      archive(file('etc/a', 'old'), file('etc/b', 'b'), file('lib/c', 'c')),
      archive(file('etc/a', 'new'), file('etc/.wh.b', ''), link('symlink', 'usr', 'lib')),
    ]),
  );
  expect(text(find(root, '/etc/a'))).toBe('new');
  expect(text(find(root, '/usr/c'))).toBe('c');
  expect(() => find(root, '/etc/b')).toThrow('error 2');
});

test('hard links are one file with several names', () => {
  const root = testTree(
    tarLayers([archive(file('bin/a', 'text'), link('hardlink', 'bin/b', 'bin/a'))]),
  );
  const first = find(root, '/bin/a');
  expect(find(root, '/bin/b')).toBe(first);
  expect(first.links).toBe(2);
});

test('a layer stays as it is when a guest writes', () => {
  const layer = tarLayers([archive(file('a', 'text'))]);
  const inode = find(testTree(layer), '/a');
  if (inode.kind !== 'file') throw new Error('no file');
  inode.content.write(0, bytesOf('next'));
  inode.content.resize(6);
  expect(text(inode)).toBe('next\0\0');
  expect(text(find(testTree(layer), '/a'))).toBe('text');
});
