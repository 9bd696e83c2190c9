import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { seededRng, systemClock } from '@tapline/base';
import { haveProgram, temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { createMemoryFileSystem, type MemoryEntry, runProgram } from '@tapline/userland';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { debianUnavailable } from '../../tools/debian/debian-unavailable.ts';
import { unpackPackages } from '../elf/unpack-packages.ts';

const debian = await debianUnavailable('arm64');
const qemu = haveProgram('qemu-aarch64-static') ? undefined : 'qemu-aarch64-static';
const reason = qemu ?? debian;

/** The same files in memory and on disk. */
const modifiedMs = Date.UTC(2026, 0, 2, 3, 4, 5);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const big = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 7919) >>> 3);
const content: Readonly<Record<string, Uint8Array>> = {
  'hello.txt': bytes('hello\nworld\n'),
  big,
  'folder/one': bytes('1'),
  'folder/deeper/two': bytes('22'),
};

const commands: readonly (readonly string[])[] = [
  ['true'],
  ['echo', 'hello', 'world'],
  ['echo', '-e', 'a\\tb\\n'],
  ['ls'],
  ['ls', '-ln', 'hello.txt', 'big'],
  ['ls', 'nothing'],
  ['cat', 'hello.txt', 'folder/deeper/two'],
  ['cat', 'folder'],
  ['sha256sum', 'hello.txt', 'big'],
  ['md5sum', 'big'],
  ['wc', 'hello.txt', 'big'],
  ['find', '.'],
  ['printf', '%d %s %x\\n', '42', 'text', '255'],
  ['expr', '6', '*', '7'],
  ['gzip', '-c', 'hello.txt'],
  ['seq', '1', '20'],
  ['sh', '-c', 'i=0; while [ $i -lt 50 ]; do i=$((i+1)); done; echo $i'],
  ['awk', '{ n += length($0) } END { print NR, n }', 'hello.txt'],
  ['sed', 's/o/0/g', 'hello.txt'],
  ['grep', '-n', 'world', 'hello.txt'],
  ['no-such-applet'],
];

describe.skipIf(reason !== undefined)(
  `busybox as under qemu (needs ${reason ?? 'nothing'})`,
  () => {
    let folder: TemporaryFolder;
    let program: string;
    let files: ReturnType<typeof createMemoryFileSystem>;

    beforeAll(async () => {
      folder = await temporaryFolder();
      const unpacked = join(folder.path, 'debian');
      mkdirSync(unpacked);
      await unpackPackages(unpacked, { architecture: 'arm64', names: ['busybox-static'] });
      program = join(unpacked, 'bin/busybox');
      const entries: Record<string, MemoryEntry> = {
        '/bin/busybox': { bytes: new Uint8Array(readFileSync(program)), executable: true },
      };
      for (const [path, data] of Object.entries(content)) {
        const file = join(folder.path, 'work', path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, data, { mode: 0o644 });
        utimesSync(file, modifiedMs / 1000, modifiedMs / 1000);
        entries[`/work/${path}`] = { bytes: data };
      }
      files = createMemoryFileSystem(entries, { modifiedMs });
    }, 120_000);
    afterAll(async () => {
      await folder[Symbol.asyncDispose]();
    });

    async function ours(argv: readonly string[], hotAfter: number): Promise<object> {
      const out: Uint8Array[] = [];
      const err: Uint8Array[] = [];
      const { exitCode } = await runProgram({
        files,
        path: '/bin/busybox',
        argv: ['busybox', ...argv],
        env: ['TZ=UTC'],
        folder: '/work',
        stdout: (some) => void out.push(some),
        stderr: (some) => void err.push(some),
        clock: systemClock,
        rng: seededRng(1),
        memoryLimit: 64 * 1024 * 1024,
        hotAfter,
        fuel: 1_000_000_000,
      });
      return {
        exitCode,
        stdout: Buffer.concat(out).toString('latin1'),
        stderr: Buffer.concat(err).toString(),
      };
    }

    function theirs(argv: readonly string[]): object {
      const { status, stdout, stderr } = spawnSync(
        'qemu-aarch64-static',
        ['-0', 'busybox', program, ...argv],
        { cwd: join(folder.path, 'work'), env: { TZ: 'UTC' }, input: '', timeout: 60_000 },
      );
      return { exitCode: status, stdout: stdout.toString('latin1'), stderr: stderr.toString() };
    }

    test.each(commands.map((argv) => [argv.join(' '), argv] as const))('%s', async (_, argv) => {
      const expected = theirs(argv);
      // Folders come in another order from a disk.
      const comparable = (result: object): object =>
        argv[0] === 'find' && 'stdout' in result
          ? { ...result, stdout: String(result.stdout).split('\n').toSorted() }
          : result;
      expect(comparable(await ours(argv, 100))).toEqual(comparable(expected));
    });

    test('interpreted from beginning to end it is the same', async () => {
      for (const argv of [['echo', 'hello'], ['ls'], ['sha256sum', 'hello.txt']]) {
        expect(await ours(argv, 0)).toEqual(theirs(argv));
      }
    });
  },
);
