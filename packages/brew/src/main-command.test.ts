import { expect, test } from 'vitest';
import { executablesOf } from './executables.ts';
import { mainCommand } from './main-command.ts';

test.each([
  ['jq', ['bin/jq'], 'bin/jq'],
  ['ripgrep', ['bin/rg'], 'bin/rg'],
  ['openssl@3', ['bin/c_rehash', 'bin/openssl'], 'bin/openssl'],
  ['python@3.14', ['bin/idle3', 'bin/pip3.14', 'bin/python3.14'], 'bin/python3.14'],
  ['coreutils', ['bin/[', 'bin/b2sum', 'bin/base64'], 'bin/b2sum'],
  ['ca-certificates', [], undefined],
])('%s of %j', (formula, executables, expected) => {
  expect(mainCommand(formula, executables)).toBe(expected);
});

test('commands are executable files and links directly in bin and sbin', () => {
  const entries = [
    { kind: 'file', path: 'sbin/d', executable: true },
    { kind: 'file', path: 'bin/b', executable: true },
    { kind: 'symlink', path: 'bin/a', target: 'b' },
    { kind: 'file', path: 'bin/notes', executable: false },
    { kind: 'directory', path: 'bin/sub' },
    { kind: 'file', path: 'bin/sub/x', executable: true },
    { kind: 'file', path: 'libexec/y', executable: true },
  ] as const;
  expect(executablesOf({ entries })).toEqual(['bin/a', 'bin/b', 'sbin/d']);
});
