import { expect, test } from 'vitest';

import { kegPath } from './keg-path.ts';

const jq = { formula: 'jq', triplet: 'x86_64-linux-gnu' };

test.each([
  ['usr/bin/jq', 'bin/jq'],
  ['bin/bash', 'bin/bash'],
  ['sbin/ldconfig', 'sbin/ldconfig'],
  ['usr/games/fortune', 'bin/fortune'],
  ['lib/x86_64-linux-gnu/libz.so.1', 'lib/libz.so.1'],
  ['usr/lib/x86_64-linux-gnu/pkgconfig/zlib.pc', 'lib/pkgconfig/zlib.pc'],
  ['lib64/ld-linux-x86-64.so.2', 'lib/ld-linux-x86-64.so.2'],
  ['usr/include/x86_64-linux-gnu/zconf.h', 'include/zconf.h'],
  ['usr/lib/git-core/git-http-fetch', 'libexec/git-core/git-http-fetch'],
  ['lib/terminfo/x/xterm', 'share/terminfo/x/xterm'],
  ['usr/share/man/man1/jq.1.gz', 'share/man/man1/jq.1.gz'],
  ['etc/bash.bashrc', '.bottle/etc/bash.bashrc'],
  ['var/lib/x', '.bottle/var/lib/x'],
  ['usr/share/lintian/overrides/jq', undefined],
  ['boot/vmlinuz', undefined],
])('%s → %s', (path, expected) => {
  expect(kegPath(path, jq)).toBe(expected);
});

test("gcc's libraries have a folder of their own", () => {
  const gcc = { formula: 'gcc', triplet: 'aarch64-linux-gnu' };
  expect(kegPath('lib/aarch64-linux-gnu/libgcc_s.so.1', gcc)).toBe('lib/gcc/12/libgcc_s.so.1');
});
