import { expect, test } from 'vitest';

import { parseControlFile } from './control-file.ts';
import { toDebianPackage } from './debian-package.ts';

test('reads paragraphs, continuation lines and comments', () => {
  const text =
    'Types: deb\n# a comment\nURIs: http://example.org/debian\n\n\nPackage: a\nDescription: short\n long\n .\nX:\n';
  const [sources, item] = parseControlFile(text);
  expect([...(sources ?? [])]).toEqual([
    ['types', 'deb'],
    ['uris', 'http://example.org/debian'],
  ]);
  expect(item?.get('description')).toBe('short\nlong\n.');
  expect(item?.get('x')).toBe('');
});

test('reads a package with alternatives, versions and architecture qualifiers', () => {
  const [fields] = parseControlFile(
    [
      'Package: libjq1',
      'Source: jq (1.6-2)',
      'Version: 1.6-2+b1',
      'Architecture: amd64',
      'Section: libs',
      'Pre-Depends: multiarch-support',
      'Depends: libc6 (>= 2.36), libonig5:any (>= 6.8.1) | libonig6, perl:any',
      'Size: 12',
      'Filename: pool/main/j/jq/libjq1.deb',
      'SHA256: 00ff',
    ].join('\n'),
  );
  expect(toDebianPackage(fields ?? new Map())).toEqual({
    name: 'libjq1',
    source: 'jq',
    version: '1.6-2+b1',
    architecture: 'amd64',
    section: 'libs',
    depends: [['multiarch-support'], ['libc6'], ['libonig5', 'libonig6'], ['perl']],
    description: '',
    homepage: undefined,
    sha256: '00ff',
    sizeBytes: 12,
    poolPath: 'pool/main/j/jq/libjq1.deb',
  });
});

test('a paragraph without a digest is no package', () => {
  expect(toDebianPackage(new Map([['package', 'a']]))).toBeUndefined();
});
