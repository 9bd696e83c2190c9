import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { editElf, type ElfEdit } from './edit-elf.ts';
import type { ElfFile } from './elf-file.ts';
import { parseElf } from './parse-elf.ts';

const run = promisify(execFile);
const hasGcc = process.platform === 'linux' && existsSync('/usr/bin/gcc');
const hasPatchelf = existsSync('/usr/bin/patchelf');
const long = 'l'.repeat(150);

test.each<[string, ElfEdit, RegExp]>([
  ['no interpreter', { interpreter: '' }, /interpreter "" is empty or has a NUL/],
  ['a NUL', { interpreter: '/a\0b' }, /is empty or has a NUL/],
  ['a long interpreter', { interpreter: '/'.repeat(4096) }, /of 4096 bytes exceeds 4095/],
  ['no path', { rpath: { kind: 'rpath', value: '' } }, /rpath "" is empty or has a NUL/],
])('refuses to write %s', (_name, edit, message) => {
  expect(() => editElf(new Uint8Array(), edit)).toThrow(
    expect.objectContaining({
      code: 'elf_edit_invalid',
      message: expect.stringMatching(message),
    }),
  );
});

/** Programs that a linker lays out in one special way each; all print the same. */
describe.skipIf(!hasGcc)('layouts (skipped without gcc)', () => {
  let directory: string;
  let loader: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tapline-elf-'));
    await writeFile(
      join(directory, 'main.c'),
      `#define _GNU_SOURCE
#include <stdio.h>
#include <link.h>
#include <sys/auxv.h>
#ifndef BSS
#define BSS 4
#endif
static char zeros[BSS];
_Thread_local int local = 7;
static int objects, whole;
static int visit(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size, (void)data;
  int loads = 0;
  for (int i = 0; i < info->dlpi_phnum; i++) loads += info->dlpi_phdr[i].p_type == PT_LOAD;
  objects += 1;
  whole += loads > 0;
  return 0;
}
int main(void) {
  long sum = 0;
  for (size_t i = 0; i < sizeof zeros; i += 512) sum += zeros[i];
  dl_iterate_phdr(visit, 0);
  const ElfW(Phdr) *first = (void *)getauxval(AT_PHDR);
  printf("sum %ld local %d headers %d %d\\n", sum, local, objects == whole, first->p_type == PT_PHDR);
  return 0;
}
`,
    );
    const shell = parseElf(await readFile('/bin/sh'));
    loader = join(directory, `${long}.so`);
    await symlink(shell.interpreter ?? '', loader);
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  async function build(name: string, flags: readonly string[]): Promise<Buffer> {
    const output = join(directory, name);
    await run('gcc', [join(directory, 'main.c'), '-o', output, ...flags]);
    return readFile(output);
  }

  async function start(bytes: Uint8Array): Promise<string> {
    const program = join(directory, `${process.hrtime.bigint()}`);
    await writeFile(program, bytes, { mode: 0o755 });
    const { stderr } = await run('readelf', ['-aW', program], { maxBuffer: 2 ** 26 });
    expect(stderr).toBe('');
    return (await run(program)).stdout;
  }

  const output = 'sum 0 local 7 headers 1 1\n';

  test.each([
    ['pie', ['-pie', '-fPIE']],
    ['fixed-address', ['-no-pie']],
    ['no-spare-entry', ['-Wl,--spare-dynamic-tags=1']],
    ['fixed-no-spare-entry', ['-no-pie', '-Wl,--spare-dynamic-tags=1']],
    ['lazy', ['-Wl,-z,lazy,-z,norelro', '-Wl,--spare-dynamic-tags=1']],
    ['one-text-segment', ['-Wl,-z,noseparate-code']],
    ['sysv-hash', ['-Wl,--hash-style=sysv']],
    ['gold', ['-fuse-ld=gold']],
    ['large-pages', ['-Wl,-z,max-page-size=0x200000']],
    ['bss-of-8-mib', ['-DBSS=0x800000']],
    ['bss-of-200-mib', ['-DBSS=0xc800000']],
    ['fixed-bss-of-200-mib', ['-no-pie', '-DBSS=0xc800000']],
  ])('%s', async (name, flags) => {
    const original = await build(name, flags);
    for (const kind of ['rpath', 'runpath'] as const) {
      const edit = { interpreter: loader, rpath: { kind, value: `/${long}:$ORIGIN` } };
      const edited = editElf(original, edit);
      const file = parseElf(edited);
      expect(file).toMatchObject({ interpreter: loader, [kind]: `/${long}:$ORIGIN` });
      expect(unrelated(file)).toEqual(unrelated(parseElf(original)));
      expect(await start(edited)).toBe(output);
      expect(sha256(editElf(original, edit))).toBe(sha256(edited));
    }
  });

  test('the loader finds the headers of a library whose file ends on the page of its data', async () => {
    const flags = ['-shared', '-fPIC', '-s', '-DBSS=0x100000', '-Wl,-soname,libedited.so'];
    const rpath = { kind: 'runpath', value: `/${long}` } as const;
    const library = join(directory, 'libedited.so');
    await writeFile(library, editElf(await build('original.so', flags), { rpath }));
    const program = join(directory, 'preloads');
    await build('preloads', []);
    // Its headers read as zeros would fail glibc's own check of thread-local storage.
    expect((await run(loader, ['--list', library])).stdout).toContain('libc.so.6');
    const environment = { ...process.env, LD_PRELOAD: library };
    expect((await run(program, { env: environment })).stdout).toBe(output);
  });

  test('each edit alone, and one after the other', async () => {
    let bytes: Uint8Array = await build('steps', []);
    bytes = editElf(bytes, { interpreter: loader });
    expect(parseElf(bytes)).not.toHaveProperty('runpath');
    bytes = editElf(bytes, { rpath: { kind: 'runpath', value: `/${long}` } });
    bytes = editElf(bytes, { rpath: { kind: 'rpath', value: `/${long}/${long}` } });
    expect(parseElf(bytes)).toMatchObject({ interpreter: loader, rpath: `/${long}/${long}` });
    expect(parseElf(bytes)).not.toHaveProperty('runpath');
    expect(await start(bytes)).toBe(output);
  });

  test('shorter values go where the longer ones were, and nothing of those stays', async () => {
    const bytes = await build('shorter', [
      `-Wl,-rpath,@@PLACEHOLDER@@/${long}`,
      `-Wl,--dynamic-linker,${loader}`,
    ]);
    const shell = parseElf(await readFile('/bin/sh')).interpreter ?? '';
    const value = '$ORIGIN/../lib';
    const edited = editElf(bytes, { interpreter: shell, rpath: { kind: 'rpath', value } });
    expect(edited).toHaveLength(bytes.length);
    expect(parseElf(edited)).toMatchObject({ interpreter: shell, rpath: value });
    expect(Buffer.from(edited).includes('PLACEHOLDER')).toBe(false);
    expect(await start(edited)).toBe(output);
    const removed = editElf(edited, { rpath: { kind: 'none' } });
    expect(removed).toHaveLength(bytes.length);
    expect(parseElf(removed)).not.toHaveProperty('rpath');
    expect(Buffer.from(removed).includes(value)).toBe(false);
    expect(await start(removed)).toBe(output);
  });

  test('a longer value leaves no trace of the old one either', async () => {
    const bytes = await build('longer', ['-Wl,-rpath,@@PLACEHOLDER@@/lib']);
    const edited = editElf(bytes, { rpath: { kind: 'runpath', value: `/${long}` } });
    expect(Buffer.from(edited).includes('PLACEHOLDER')).toBe(false);
    expect(await start(edited)).toBe(output);
  });

  test('a string whose tail another one uses is not overwritten', async () => {
    // The linker stores "printf" once, as the tail of the search path.
    const bytes = await build('shared', ['-Wl,-rpath,/opt/lib/printf']);
    const table = parseElf(bytes).sectionHeaders.find(({ name }) => name === '.dynstr');
    const content = bytes.subarray(table?.offset, (table?.offset ?? 0) + (table?.size ?? 0));
    expect(
      content
        .toString('latin1')
        .split('\0')
        .filter((text) => text === 'printf'),
    ).toEqual([]);
    for (const value of ['/x', `/${long}`]) {
      const edited = editElf(bytes, { rpath: { kind: 'runpath', value } });
      expect(parseElf(edited).runpath).toBe(value);
      expect(await start(edited)).toBe(output);
    }
    expect(await start(editElf(bytes, { rpath: { kind: 'none' } }))).toBe(output);
  });

  test.skipIf(!hasPatchelf)(
    'a string table that patchelf laid across two segments (skipped without patchelf)',
    async () => {
      const name = join(directory, 'across');
      await build('across', ['-no-pie']);
      // Longer than what is left of the page that patchelf adds, shorter than two.
      const rpath = `@@PLACEHOLDER@@/${'r'.repeat(3000)}`;
      await writeFile(join(directory, 'rpath'), rpath);
      await run('patchelf', ['--set-rpath', `@${join(directory, 'rpath')}`, name]);
      const bytes = await readFile(name);
      const file = parseElf(bytes);
      expect(file.runpath).toBe(rpath);
      const table = file.sectionHeaders.find((section) => section.name === '.dynstr');
      const first = table?.address ?? 0;
      const end = first + (table?.size ?? 0);
      expect(
        file.programHeaders.some(
          ({ type, virtualAddress: address }) => type === 1 && address > first && address < end,
        ),
      ).toBe(true);
      for (const value of ['/short', `/${'s'.repeat(2990)}`, `/${'t'.repeat(4000)}`]) {
        const edit = { interpreter: loader, rpath: { kind: 'runpath', value } } as const;
        const edited = editElf(bytes, edit);
        expect(parseElf(edited)).toMatchObject({ interpreter: loader, runpath: value });
        expect(Buffer.from(edited).includes('PLACEHOLDER')).toBe(false);
        expect(await start(edited)).toBe(output);
      }
    },
  );

  test('without section headers, and with other data appended', async () => {
    const bytes = await build('stripped', ['-s']);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    view.setBigUint64(40, 0n, true);
    view.setUint16(60, 0, true);
    view.setUint16(62, 0, true);
    const appended = Buffer.concat([bytes, Buffer.from('appended')]);
    const edit: ElfEdit = { interpreter: loader, rpath: { kind: 'rpath', value: `/${long}` } };
    const edited = editElf(appended, edit);
    expect(await start(edited)).toBe(output);
    expect(Buffer.from(edited).indexOf('appended')).toBe(bytes.length);
    // How many strings are in use is not known here, so the old place is not used again.
    const again = editElf(edited, { rpath: { kind: 'rpath', value: '/short' } });
    expect(again.length).toBeGreaterThan(edited.length);
    expect(await start(again)).toBe(output);
  });

  test('an edit that changes nothing gives the same bytes', async () => {
    const bytes = await build('same', ['-Wl,-rpath,/opt/lib']);
    const { interpreter = '', runpath = '' } = parseElf(bytes);
    const edit: ElfEdit = { interpreter, rpath: { kind: 'runpath', value: runpath } };
    const before = sha256(bytes);
    expect(sha256(editElf(bytes, {}))).toBe(before);
    expect(sha256(editElf(bytes, edit))).toBe(before);
    // The input is never written to, not even for an edit in place.
    editElf(bytes, { rpath: { kind: 'none' } });
    expect(sha256(bytes)).toBe(before);
  });

  test.each([
    ['static', ['-static'], { rpath: { kind: 'rpath', value: '/x' } }, /no dynamic section/],
    ['static-pie', ['-static-pie'], { rpath: { kind: 'none' } }, /no dynamic section/],
    ['library', ['-shared', '-fPIC'], { interpreter: '/x' }, /no interpreter to edit/],
  ] as const)('%s files are refused', async (name, flags, edit, message) => {
    const bytes = await build(name, flags);
    expect(() => editElf(bytes, edit)).toThrow(
      expect.objectContaining({
        code: 'elf_not_editable',
        message: expect.stringMatching(message),
      }),
    );
  });
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What an edit of interpreter and search path must leave alone. */
function unrelated(file: ElfFile): unknown {
  const { kind, linking, needed, soname, buildId, programHeaders, sectionHeaders } = file;
  const moving = new Set(['.interp', '.dynstr', '.dynamic']);
  const loads = programHeaders.filter(({ type }) => type === 1);
  return {
    about: { kind, linking, needed, soname, buildId },
    firstLoads: loads.slice(0, 2),
    // Notes, TLS, stack, RELRO, …: all but the dynamic section, interpreter and headers.
    others: programHeaders.filter(({ type }) => ![1, 2, 3, 6].includes(type)),
    sections: sectionHeaders.filter(({ name }) => !moving.has(name)),
  };
}
