import { describe, expect, test } from 'vitest';
import { encodeTarEntry, tarPadding } from './encode-tar-entry.ts';
import { encodeTar } from './encode-tar.ts';
import type { TarEntry } from './tar-entry.ts';

const file: TarEntry = {
  kind: 'file',
  path: 'usr/bin/jq',
  mode: 0o755,
  uid: 0,
  gid: 0,
  size: 600,
  mtimeSeconds: 1_700_000_000,
};

function blocksOf(entry: TarEntry): number {
  return encodeTarEntry(entry).length / 512;
}

test('one ustar block, every numeric field at its full width', () => {
  const block = encodeTarEntry(file);
  expect(new TextDecoder().decode(block).replaceAll('\0', '.')).toBe(
    [
      'usr/bin/jq'.padEnd(100, '.'),
      '0000755.0000000.0000000.00000001130.14524770400.011163. 0',
      '.'.repeat(100),
      'ustar.00'.padEnd(8 + 64, '.'),
      '0000000.0000000.',
      '.'.repeat(155 + 12),
    ].join(''),
  );
});

describe('pax headers only where ustar cannot hold a value', () => {
  test.each<[string, number, TarEntry]>([
    ['path of 100', 1, { ...file, path: 'x'.repeat(100) }],
    ['path of 101 without a slash', 3, { ...file, path: 'x'.repeat(101) }],
    ['path that splits', 1, { ...file, path: `${'x'.repeat(155)}/${'y'.repeat(100)}` }],
    ['path that does not', 3, { ...file, path: `${'x'.repeat(156)}/${'y'.repeat(99)}` }],
    ['directory of 99', 1, { ...file, kind: 'directory', size: 0, path: 'x'.repeat(99) }],
    ['directory of 100', 3, { ...file, kind: 'directory', size: 0, path: 'x'.repeat(100) }],
    ['path beyond ASCII', 3, { ...file, path: 'é' }],
    ['size of 8 GiB less one', 1, { ...file, size: 8 * 2 ** 30 - 1 }],
    ['size of 8 GiB', 3, { ...file, size: 8 * 2 ** 30 }],
    ['large owner', 3, { ...file, uid: 2 ** 21 }],
    ['fraction of a second', 3, { ...file, mtimeSeconds: 0.5 }],
    ['attributes', 3, { ...file, xattrs: new Map([['user.a', new Uint8Array(1)]]) }],
    ['no attributes', 1, { ...file, xattrs: new Map() }],
  ])('%s', (_name, blocks, entry) => {
    expect(blocksOf(entry)).toBe(blocks);
  });
});

test('pads to whole blocks', () => {
  expect([0, 1, 511, 512, 513].map((size) => tarPadding(size).length)).toEqual([0, 511, 1, 0, 511]);
});

test.each<[Partial<TarEntry>, RegExp]>([
  [{ path: '' }, /path is empty or has a NUL/],
  [{ path: 'a\0' }, /path is empty or has a NUL/],
  [{ kind: 'symlink', size: 0 }, /symlink needs a link target/],
  [{ linkTarget: 'x' }, /file has no link target/],
  [{ kind: 'symlink', size: 0, linkTarget: '' }, /link target is empty/],
  [{ kind: 'directory' }, /directory has no content, not 600 bytes/],
  [{ size: -1 }, /size -1/],
  [{ uid: 1.5 }, /uid 1\.5/],
  [{ mode: 0o10000 }, /mode 4096/],
  [{ mtimeSeconds: Number.NaN }, /mtime NaN/],
])('refuses %j', (change, why) => {
  expect(() => encodeTarEntry({ ...file, ...change })).toThrow(
    expect.objectContaining({ code: 'tar_entry_invalid', message: expect.stringMatching(why) }),
  );
});

test('refuses an archive whose content is not as long as the entry says', () => {
  expect(() => [...encodeTar([{ entry: file, data: new Uint8Array(599) }])]).toThrow(
    /"usr\/bin\/jq" has size 600 and 599 bytes of content/,
  );
});
