import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { isTaplineError } from '@tapline/base';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { editElf } from './edit-elf.ts';
import { isElf } from './is-elf.ts';
import { parseElf } from './parse-elf.ts';

const run = promisify(execFile);
const isLinux = process.platform === 'linux';
// This very program, a shell, a library that can also be run, and what else is common.
const files = [
  process.execPath,
  '/bin/bash',
  '/usr/bin/python3',
  '/lib/x86_64-linux-gnu/libc.so.6',
  '/lib/aarch64-linux-gnu/libc.so.6',
].filter((file) => isLinux && existsSync(file));
const hasReadelf = isLinux && existsSync('/usr/bin/readelf');

describe.skipIf(!hasReadelf)('agrees with readelf (skipped without binutils)', () => {
  test.each(files)('%s', async (file) => {
    const elf = parseElf(await readFile(file));
    const { stdout } = await run('readelf', ['-hldnSW', file], { maxBuffer: 2 ** 26 });
    const all = (pattern: RegExp): readonly (string | undefined)[] =>
      [...stdout.matchAll(pattern)].map((match) => match[1]);
    expect(elf.needed).toEqual(all(/\(NEEDED\).*\[(.*)\]/g));
    expect([elf.soname].filter(Boolean)).toEqual(all(/\(SONAME\).*\[(.*)\]/g));
    expect([elf.runpath].filter(Boolean)).toEqual(all(/\(RUNPATH\).*\[(.*)\]/g));
    expect([elf.interpreter].filter(Boolean)).toEqual(all(/interpreter: (.*)\]/g));
    expect([elf.buildId].filter(Boolean)).toEqual(all(/Build ID: ([0-9a-f]+)/g));
    expect(elf.kind).toBe(
      stdout.includes('DYN (Position-Independent Executable file)')
        ? 'pie'
        : stdout.includes('EXEC (Executable file)')
          ? 'executable'
          : 'shared',
    );
    expect(elf.sectionHeaders.map(({ name }) => name).filter((name) => name !== '')).toEqual(
      all(/^ {2}\[ *\d+\] (\S+) +[A-Z]\w+ +[0-9a-f]{16}/gm),
    );
    expect(elf.programHeaders).toHaveLength(Number(all(/Number of program headers: +(\d+)/g)[0]));
  });
});

test('knows ELF by its magic only', () => {
  expect(isElf(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46))).toBe(true);
  expect(isElf(Uint8Array.of(0x7f, 0x45, 0x4c))).toBe(false);
  expect(isElf(new TextEncoder().encode('#!/bin/sh'))).toBe(false);
});

/** The smallest header that is read: no segments, no sections. */
function header(): DataView<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(64));
  new Uint8Array(view.buffer).set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 3, true);
  view.setUint16(18, 183, true);
  return view;
}

function change(edit: (view: DataView) => void): Uint8Array {
  const view = header();
  edit(view);
  return new Uint8Array(view.buffer);
}

describe('headers', () => {
  test('a bare one is a shared object without anything', () => {
    expect(parseElf(change(() => {}))).toMatchObject({
      header: { type: 'shared', machine: 'aarch64' },
      kind: 'shared',
      linking: 'static',
      needed: [],
    });
  });

  test.each<[string, Uint8Array, string, RegExp]>([
    ['nothing', new Uint8Array(), 'elf_malformed', /first bytes/],
    ['a script', new TextEncoder().encode('#!/bin/sh\n'), 'elf_malformed', /first bytes/],
    ['a cut header', change(() => {}).slice(0, 63), 'elf_malformed', /64 bytes goes beyond/],
    ['32 bits', change((v) => v.setUint8(4, 1)), 'elf_unsupported', /class 1/],
    ['big endian', change((v) => v.setUint8(5, 2)), 'elf_unsupported', /byte order 2/],
    ['RISC-V', change((v) => v.setUint16(18, 243, true)), 'elf_unsupported', /machine 243/],
    ['an object', change((v) => v.setUint16(16, 1, true)), 'elf_unsupported', /type 1/],
    [
      'segments beyond the end',
      change((v) => {
        v.setUint16(54, 56, true);
        v.setUint16(56, 1, true);
        v.setUint8(32, 64);
      }),
      'elf_malformed',
      /program header table of 56 bytes goes beyond the file's 64 \(at offset 0x40\)/,
    ],
    [
      'an offset of 2^63',
      change((v) => v.setBigUint64(32, 2n ** 63n, true)),
      'elf_malformed',
      /e_phoff 0x8000000000000000 exceeds/,
    ],
    [
      'entries of another size',
      change((v) => {
        v.setUint16(54, 32, true);
        v.setUint16(56, 1, true);
      }),
      'elf_malformed',
      /32 bytes, not 56/,
    ],
  ])('%s', (_name, bytes, code, message) => {
    expect(() => parseElf(bytes)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});

const sample = files.find((file) => file.endsWith('/bash'));

describe.skipIf(sample === undefined)('damaged files (skipped without /bin/bash)', () => {
  let bytes: Buffer;
  /** Offsets that are read: headers, dynamic section, notes, section headers. */
  let structure: readonly number[];

  beforeAll(async () => {
    // With a search path, whose place may be used again when nothing else points there.
    const rpath = { kind: 'runpath', value: `/${'r'.repeat(90)}` } as const;
    bytes = Buffer.from(editElf(await readFile(sample ?? ''), { rpath }));
    const { header: elf, programHeaders, sectionHeaders } = parseElf(bytes);
    const versions = sectionHeaders.filter(({ name }) => name === '.gnu.version_r');
    const small = programHeaders.filter(({ type, fileSize }) => type !== 1 && fileSize < 4096);
    structure = [
      [0, elf.programHeaderOffset + elf.programHeaderCount * 56],
      [elf.sectionHeaderOffset, elf.sectionHeaderCount * 64],
      ...versions.map(({ offset, size }) => [offset, size]),
      ...small.map(({ offset, fileSize }) => [offset, fileSize]),
    ].flatMap(([start = 0, size = 0]) => Array.from({ length: size }, (_, index) => start + index));
  });

  test('are read and edited, or refused with a code', () => {
    const mutation = fc.tuple(
      fc.nat(),
      fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255)),
    );
    fc.assert(
      fc.property(
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        fc.nat(120),
        (mutations, length) => {
          const places = mutations.map(([at]) => structure[at % structure.length] ?? 0);
          const edit = {
            interpreter: `/${'i'.repeat(length)}`,
            rpath: { kind: 'rpath', value: `/${'p'.repeat(length)}` },
          } as const;
          const saved = places.map((place) => bytes[place] ?? 0);
          for (const [index, [, value]] of mutations.entries()) bytes[places[index] ?? 0] = value;
          try {
            expect(outcome(() => parseElf(editElf(bytes, edit)))).toMatch(/^(ok|elf_[a-z_]+)$/);
          } finally {
            for (const [index, place] of [...places.entries()].toReversed()) {
              bytes[place] = saved[index] ?? 0;
            }
          }
        },
      ),
      { numRuns: 1500 },
    );
  });

  test('cut at any length are refused', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), (length) => {
        expect(outcome(() => parseElf(bytes.subarray(0, length)))).toBe('elf_malformed');
      }),
      { numRuns: 200 },
    );
  });
});

function outcome(action: () => unknown): unknown {
  try {
    action();
    return 'ok';
  } catch (error) {
    return isTaplineError(error) ? error.code : error;
  }
}
