import { isTaplineError } from '@tapline/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkLayerPath } from './layer-path.ts';
import { assertSafeEntry } from './safe-entry.ts';
import type { TarEntry } from './tar-entry.ts';

const file: TarEntry = {
  kind: 'file',
  path: 'a/b',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtimeSeconds: 0,
};

describe('paths', () => {
  test.each([
    ['a', 'a'],
    ['./a/b', 'a/b'],
    ['a/./b/.', 'a/b'],
    ['.', '.'],
    ['./', '.'],
    ['...', '...'],
    ['a..b/..c', 'a..b/..c'],
    ['a\\..\\b', 'a\\..\\b'],
  ])('%j is %j', (path, canonical) => {
    expect(checkLayerPath(path)).toBe(canonical);
  });

  test.each([
    ['', /empty/],
    ['/etc/passwd', /absolute/],
    ['//x', /absolute/],
    ['..', /"\.\." component/],
    ['a/../b', /"\.\." component/],
    ['./../a', /"\.\." component/],
    ['a//b', /empty component/],
    ['a/', /empty component/],
    ['a\0b', /NUL/],
    ['é'.repeat(128), /longer than 255 bytes/],
    [Array.from({ length: 2049 }, () => 'd').join('/'), /longer than 4095 bytes/],
  ])('refuses %.40j', (path, why) => {
    expect(() => checkLayerPath(path)).toThrow(
      expect.objectContaining({ code: 'unsafe_tar_entry', message: expect.stringMatching(why) }),
    );
  });

  test('whatever passes stays within the root, and is its own canonical form', () => {
    const path = fc.string({ unit: fc.constantFrom('a', '.', '/', '\0', '~'), maxLength: 12 });
    fc.assert(
      fc.property(path, (input) => {
        const result = outcome(() => checkLayerPath(input));
        expect(result).toMatch(/^(ok|unsafe_tar_entry)$/);
        fc.pre(result === 'ok');
        const canonical = checkLayerPath(input);
        expect(new URL(canonical, 'file:///root/').pathname).toMatch(/^\/root\//);
        expect(checkLayerPath(canonical)).toBe(canonical);
      }),
      { numRuns: 500, maxSkipsPerRun: 100 },
    );
  });
});

describe('entries', () => {
  test.each<TarEntry>([
    file,
    { ...file, kind: 'directory', path: '.' },
    { ...file, kind: 'symlink', linkTarget: '../../../etc/passwd' },
    { ...file, kind: 'symlink', linkTarget: '/etc/passwd' },
    { ...file, kind: 'hardlink', linkTarget: 'c' },
  ])('takes $kind $path $linkTarget', (entry) => {
    expect(assertSafeEntry(entry)).toEqual(entry);
  });

  test('makes both paths canonical', () => {
    const entry: TarEntry = { ...file, kind: 'hardlink', path: './x', linkTarget: './y' };
    expect(assertSafeEntry(entry)).toMatchObject({ path: 'x', linkTarget: 'y' });
  });

  test.each<[TarEntry, RegExp]>([
    [{ ...file, path: '../x' }, /"\.\.\/x" is refused/],
    [{ ...file, path: '.' }, /root cannot be a file/],
    [{ ...file, kind: 'character-device' }, /character-device is not allowed/],
    [{ ...file, kind: 'block-device' }, /block-device is not allowed/],
    [{ ...file, kind: 'fifo' }, /fifo is not allowed/],
    [{ ...file, kind: 'symlink', linkTarget: 'a\0b' }, /link target has a NUL/],
    [{ ...file, kind: 'symlink', linkTarget: '' }, /link target is empty/],
    [{ ...file, kind: 'symlink', linkTarget: 'x'.repeat(4096) }, /longer than 4095/],
    [{ ...file, kind: 'hardlink', linkTarget: '../x' }, /"\.\.\/x" is outside the layer/],
    [{ ...file, kind: 'hardlink', linkTarget: '/etc/shadow' }, /outside the layer/],
    [{ ...file, kind: 'hardlink', linkTarget: './a/b' }, /itself or the root/],
    [{ ...file, kind: 'hardlink' }, /outside the layer/],
  ])('refuses %j', (entry, why) => {
    expect(() => assertSafeEntry(entry)).toThrow(
      expect.objectContaining({ code: 'unsafe_tar_entry', message: expect.stringMatching(why) }),
    );
  });
});

function outcome(run: () => unknown): unknown {
  try {
    run();
    return 'ok';
  } catch (error) {
    return isTaplineError(error) ? error.code : error;
  }
}
