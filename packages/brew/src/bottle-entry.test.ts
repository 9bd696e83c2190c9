import type { TarEntry } from '@tapline/oci';
import { expect, test } from 'vitest';
import { bottleEntry } from './bottle-entry.ts';

const options = { formula: 'jq', pkgVersion: '1.8.1_1' };
const cellar = 'home/linuxbrew/.linuxbrew/Cellar';

function entry(kind: TarEntry['kind'], path: string, more: Partial<TarEntry> = {}): TarEntry {
  return { kind, path, mode: 0o4555, uid: 501, gid: 20, size: 0, mtimeSeconds: 1.5, ...more };
}

test('a file moves below the Cellar and loses owner, time, set-user-id and attributes', () => {
  const xattrs = new Map([['user.a', Uint8Array.of(1)]]);
  expect(bottleEntry(entry('file', 'jq/1.8.1_1/bin/jq', { size: 5, xattrs }), options)).toEqual({
    path: 'bin/jq',
    entry: {
      kind: 'file',
      path: `${cellar}/jq/1.8.1_1/bin/jq`,
      mode: 0o755,
      uid: 0,
      gid: 0,
      size: 5,
      mtimeSeconds: 315_532_800,
    },
  });
});

test('the directory above the keg is left out, the keg itself has no path', () => {
  expect(bottleEntry(entry('directory', 'jq'), options)).toBeUndefined();
  expect(bottleEntry(entry('directory', './jq/1.8.1_1'), options)?.path).toBe('');
});

test('an absolute link into the prefix becomes relative', () => {
  const linkTarget = '/home/linuxbrew/.linuxbrew/opt/onig/lib/libonig.so';
  const result = bottleEntry(entry('symlink', 'jq/1.8.1_1/lib/o', { linkTarget }), options);
  expect(result?.entry.linkTarget).toBe('../../../../opt/onig/lib/libonig.so');
});

test('a hard link moves with its target', () => {
  const linkTarget = 'jq/1.8.1_1/bin/a';
  const result = bottleEntry(entry('hardlink', 'jq/1.8.1_1/bin/b', { linkTarget }), options);
  expect(result?.entry.linkTarget).toBe(`${cellar}/jq/1.8.1_1/bin/a`);
});

test.each([
  ['another formula', entry('file', 'oniguruma/1/lib/x')],
  ['another version', entry('file', 'jq/1.8.0/bin/jq')],
  ['traversal', entry('file', 'jq/1.8.1_1/../../../etc/passwd')],
  ['an absolute path', entry('file', '/etc/passwd')],
  ['a device', entry('character-device', 'jq/1.8.1_1/null')],
  ['a pipe', entry('fifo', 'jq/1.8.1_1/pipe')],
  ['a hard link out', entry('hardlink', 'jq/1.8.1_1/x', { linkTarget: 'etc/shadow' })],
])('%s is refused', (_, hostile) => {
  expect(() => bottleEntry(hostile, options)).toThrow(
    expect.objectContaining({ code: 'unsafe_tar_entry' }),
  );
});
