import { expect, test } from 'vitest';

import { isRelocatableText, relocateText } from './relocate-text.ts';

const options = {
  formula: 'zlib',
  pkgVersion: '1.2.13',
  triplet: 'x86_64-linux-gnu',
  programs: new Set(['gawk']),
};
const keg = '@@HOMEBREW_CELLAR@@/zlib/1.2.13';

test('a .pc file gets the keg as its prefix', () => {
  const text =
    'prefix=/usr\nlibdir=${prefix}/lib/x86_64-linux-gnu\nshare=/usr/share\nother=/opt/usr/x\n';
  expect(relocateText('lib/pkgconfig/zlib.pc', text, options)).toBe(
    `prefix=${keg}\nlibdir=\${prefix}/lib\nshare=${keg}/share\nother=/opt/usr/x\n`,
  );
});

test('a script gets placeholders for perl and for interpreters of its own keg only', () => {
  expect(relocateText('bin/a', '#!/usr/bin/perl -w\n', options)).toBe('#!@@HOMEBREW_PERL@@ -w\n');
  expect(relocateText('bin/b', '#! /usr/bin/gawk -f\n', options)).toBe(
    '#!@@HOMEBREW_PREFIX@@/opt/zlib/bin/gawk -f\n',
  );
  expect(relocateText('bin/c', '#!/bin/sh\n/usr/bin/x\n', options)).toBe('#!/bin/sh\n/usr/bin/x\n');
});

test('binaries and documentation are left alone', () => {
  expect(isRelocatableText('bin/x', Buffer.from('#!/bin/sh\n'))).toBe(true);
  expect(isRelocatableText('bin/x', Buffer.from('a\0b'))).toBe(false);
  expect(isRelocatableText('share/doc/x', Buffer.from('/usr'))).toBe(false);
});
