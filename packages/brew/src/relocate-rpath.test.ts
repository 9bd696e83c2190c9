import { expect, test } from 'vitest';
import { relocateRpath } from './relocate-rpath.ts';

const prefix = '/home/linuxbrew/.linuxbrew';

test.each([
  ['@@HOMEBREW_PREFIX@@/opt/onig/lib', `${prefix}/opt/onig/lib:${prefix}/lib`],
  ['@@HOMEBREW_PREFIX@@/lib:$ORIGIN/../lib', `${prefix}/lib:$ORIGIN/../lib`],
  ['/usr/lib:/build/tmp/lib', `${prefix}/lib`],
  ['@@HOMEBREW_PREFIX@@/opt/gcc/lib/gcc/12', `${prefix}/opt/gcc/lib/gcc/current:${prefix}/lib`],
  ['@@HOMEBREW_PREFIX@@/lib/gcc/12/x', `${prefix}/lib/gcc/12/x:${prefix}/lib`],
])('%s', (before, after) => {
  expect(relocateRpath(before, { formula: 'jq' })).toBe(after);
});

test.each(['gcc', 'gcc@12'])('%s keeps its own version', (formula) => {
  const before = '@@HOMEBREW_PREFIX@@/lib/gcc/12';
  expect(relocateRpath(before, { formula })).toBe(`${prefix}/lib/gcc/12:${prefix}/lib`);
});
