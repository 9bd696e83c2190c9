import { expect, test } from 'vitest';
import { parseTab } from './tab.ts';

test('changed files and dependencies are read', () => {
  const tab = parseTab(
    JSON.stringify({
      homebrew_version: '5.1.0',
      changed_files: ['lib/pkgconfig/a.pc'],
      runtime_dependencies: [
        { full_name: 'user/tap/onig', version: '6.9', revision: 2, declared_directly: true },
        { full_name: 'zlib', version: '1.3', revision: 0, bottle_rebuild: 1, pkg_version: '1.3' },
      ],
    }),
  );
  expect(tab.changedFiles).toEqual(new Set(['lib/pkgconfig/a.pc']));
  expect(tab.runtimeDependencies).toEqual([
    { name: 'onig', pkgVersion: '6.9_2', rebuild: 0 },
    { name: 'zlib', pkgVersion: '1.3', rebuild: 1 },
  ]);
});

test('null is the same as absent: nothing is known', () => {
  expect(parseTab('{"changed_files":null,"runtime_dependencies":null}')).toEqual({});
});

test.each([
  '',
  '[]',
  '{"changed_files":3}',
  '{"runtime_dependencies":[{"full_name":"a b","version":"1"}]}',
])('%s is refused', (text) => {
  expect(() => parseTab(text)).toThrow(expect.objectContaining({ code: 'tab_invalid' }));
});
