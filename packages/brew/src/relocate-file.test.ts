import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { haveProgram, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { needsRelocation, relocateFile, type RelocatedFile } from './relocate-file.ts';
import type { Tab } from './tab.ts';

const prefix = '/home/linuxbrew/.linuxbrew';
const text = new TextEncoder().encode('prefix=@@HOMEBREW_PREFIX@@\n');

function relocate(
  bytes: Uint8Array,
  options: { readonly path?: string; readonly tab?: Tab; readonly formula?: string } = {},
): RelocatedFile {
  const { path = 'lib/pkgconfig/jq.pc', tab = {}, formula = 'jq' } = options;
  return relocateFile({ path, bytes, formula, dependencies: [], tab });
}

test('a list of changed files is the only thing that counts', () => {
  const path = 'lib/pkgconfig/jq.pc';
  expect(relocate(text, { tab: { changedFiles: new Set() } }).kind).toBe('unchanged');
  expect(relocate(text, { tab: { changedFiles: new Set([path]) } }).kind).toBe('replaced');
});

test('without a list, what has a NUL is binary', () => {
  expect(relocate(text).kind).toBe('replaced');
  expect(relocate(Buffer.concat([text, Uint8Array.of(0)])).kind).toBe('unchanged');
});

test('what needs no relocation is told by its start', () => {
  const tab = { changedFiles: new Set(['a']) };
  const elf = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46);
  expect(needsRelocation({ path: 'a', tab, start: text })).toBe(true);
  expect(needsRelocation({ path: 'b', tab, start: text })).toBe(false);
  expect(needsRelocation({ path: 'b', tab, start: elf })).toBe(true);
});

test('damaged ELF is refused where it is linked to, and left alone where it is data', () => {
  const damaged = Buffer.alloc(64);
  damaged.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0);
  // An executable for x86-64 with program headers beyond its end.
  damaged.writeUInt16LE(2, 16);
  damaged.writeUInt16LE(62, 18);
  damaged.writeUInt32LE(1, 20);
  damaged.writeBigUInt64LE(4096n, 32);
  damaged.writeUInt16LE(64, 52);
  damaged.writeUInt16LE(56, 54);
  damaged.writeUInt16LE(3, 56);
  expect(() => relocate(damaged, { path: 'bin/jq' })).toThrow(
    expect.objectContaining({ code: 'relocation_failed' }),
  );
  const data = relocate(damaged, { path: 'libexec/testdata/broken' });
  expect(data.kind).toBe('unchanged');
  expect(data.refused).toMatch(/ELF/);
});

const missing = ['patchelf', 'readelf'].filter((program) => !haveProgram(program));
const reason = missing.length === 0 ? '' : ` (skipped: no ${missing.join(', ')})`;

describe.skipIf(missing.length > 0)(`a program that patchelf gave placeholders${reason}`, () => {
  function bottled(folder: string): Uint8Array {
    const path = join(folder, 'program');
    copyFileSync('/bin/ls', path);
    // patchelf reads an argument that starts with @ from the file it names.
    writeFileSync(join(folder, 'interpreter'), '@@HOMEBREW_PREFIX@@/lib/ld.so');
    writeFileSync(join(folder, 'rpath'), '@@HOMEBREW_PREFIX@@/opt/x/lib:/usr/lib');
    execFileSync('patchelf', [
      '--set-interpreter',
      `@${join(folder, 'interpreter')}`,
      '--set-rpath',
      `@${join(folder, 'rpath')}`,
      path,
    ]);
    const bytes = readFileSync(path);
    expect(bytes.includes('@@HOMEBREW_PREFIX@@/opt/x/lib')).toBe(true);
    return bytes;
  }

  test('has its interpreter and search path in the prefix', async () => {
    await using folder = await temporaryFolder();
    const result = relocate(bottled(folder.path), { path: 'bin/ls' });
    expect(result.kind).toBe('replaced');
    expect(result.needed).toContain('libc.so.6');
    const path = join(folder.path, 'relocated');
    writeFileSync(path, result.bytes);
    const print = (what: string): string =>
      execFileSync('patchelf', [what, path], { encoding: 'utf8' }).trim();
    expect(print('--print-interpreter')).toBe(`${prefix}/lib/ld.so`);
    expect(print('--print-rpath')).toBe(`${prefix}/opt/x/lib:${prefix}/lib`);
    const again = relocate(result.bytes, { path: 'bin/ls' });
    expect(again.kind).toBe('unchanged');
  });

  test('is left alone in glibc', async () => {
    await using folder = await temporaryFolder();
    const bytes = bottled(folder.path);
    const result = relocate(bytes, { path: 'bin/ls', formula: 'glibc' });
    expect(result.kind).toBe('unchanged');
    expect(result.bytes).toBe(bytes);
  });
});
