import { expect, test } from 'vitest';
import { applyLayers } from './apply-layers.ts';
import type { TarEntry } from './tar-entry.ts';

/** `d/` is a directory, `l -> t` a symlink, the rest files. */
function layer(...lines: readonly string[]): readonly TarEntry[] {
  return lines.map((line) => {
    const [path = '', linkTarget] = line.split(' -> ');
    const common = { mode: 0o755, uid: 0, gid: 0, size: 0, mtimeSeconds: 1 };
    if (linkTarget !== undefined) return { ...common, kind: 'symlink', path, linkTarget };
    return path.endsWith('/')
      ? { ...common, kind: 'directory', path: path.slice(0, -1) }
      : { ...common, kind: 'file', path };
  });
}

function merge(...layers: readonly (readonly TarEntry[])[]): readonly string[] {
  return [...applyLayers(layers)].map(
    ([path, { entry, layer: index }]) =>
      `${path}${entry.kind === 'directory' ? '/' : ''}${entry.linkTarget === undefined ? '' : ' ->'} ${index}`,
  );
}

test('upper layers add and replace', () => {
  expect(merge(layer('a/', 'a/x', 'b'), layer('a/x', 'a/y', 'c/d/e'))).toEqual([
    'a/ 0',
    'a/x 1',
    'a/y 1',
    'b 0',
    'c/ 1',
    'c/d/ 1',
    'c/d/e 1',
  ]);
});

test('a directory over a directory keeps its children', () => {
  expect(merge(layer('a/', 'a/x'), layer('a/'))).toEqual(['a/ 1', 'a/x 0']);
});

test('a whiteout removes a file, a directory with its children, and nothing of its own layer', () => {
  const base = layer('a/', 'a/x', 'a/y', 'b/', 'b/z');
  expect(merge(base, layer('a/.wh.x', '.wh.b', 'a/.wh.missing', 'none/.wh.x'))).toEqual([
    'a/ 0',
    'a/y 0',
  ]);
  expect(merge(base, layer('a/x', 'a/.wh.x', '.wh.b', 'b/', 'b/new'))).toEqual([
    'a/ 0',
    'a/x 1',
    'a/y 0',
    'b/ 1',
    'b/new 1',
  ]);
});

test('an opaque directory hides lower children wherever the marker stands', () => {
  const base = layer('a/', 'a/x', 'a/s/', 'a/s/t', 'b');
  for (const upper of [
    layer('a/', 'a/new', 'a/.wh..wh..opq'),
    layer('a/.wh..wh..opq', 'a/', 'a/new'),
  ]) {
    expect(merge(base, upper)).toEqual(['a/ 1', 'a/new 1', 'b 0']);
  }
  expect(merge(base, layer('.wh..wh..opq', 'c'))).toEqual(['c 1']);
});

test('another type replaces, and no path goes through a symlink', () => {
  expect(merge(layer('a/', 'a/x'), layer('a'))).toEqual(['a 1']);
  expect(merge(layer('a'), layer('a/x'))).toEqual(['a/ 1', 'a/x 1']);
  expect(merge(layer('usr/lib/', 'lib -> usr/lib'), layer('lib/x'))).toEqual([
    'lib/ 1',
    'lib/x 1',
    'usr/ 0',
    'usr/lib/ 0',
  ]);
});

test('names of the prototype are names', () => {
  expect(merge(layer('__proto__/constructor', 'toString'))).toHaveLength(3);
});

test('the root, reserved names and no layers at all', () => {
  expect(merge(layer('./', '.wh..wh.plnk/', 'a'))).toEqual(['a 0']);
  expect(merge()).toEqual([]);
});

test('a hundred thousand entries and a path of two thousand levels take well under a second', () => {
  const many = Array.from({ length: 100_000 }, (_, index) => `d${index % 100}/f${index}`);
  const deep = Array.from({ length: 2000 }, () => 'd').join('/');
  expect(applyLayers([layer(...many), layer(deep)]).size).toBe(100_000 + 100 + 2000);
});
