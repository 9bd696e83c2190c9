import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { arch, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { editElf, parseElf } from '@tapline/elf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { debianUnavailable } from '../../tools/debian/debian-unavailable.ts';
import { packageNames, unpackPackages } from './unpack-packages.ts';

const exec = promisify(execFile);

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
}

async function run(program: string, args: readonly string[]): Promise<Outcome> {
  try {
    const { stdout } = await exec(program, args, { maxBuffer: 2 ** 28, timeout: 60_000 });
    return { exitCode: 0, stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
    if (typeof code !== 'number') throw error;
    return { exitCode: code, stdout: stdout + stderr };
  }
}

/** What readelf complains about; a file may come with complaints of its own. */
async function complaints(file: string): Promise<readonly string[]> {
  const { stderr } = await exec('readelf', ['-aW', file], { maxBuffer: 2 ** 28 });
  return stderr.split('\n').map((line) => line.replaceAll(/0x[0-9a-f]+/g, 'N'));
}

async function patchelf(option: string, file: string): Promise<string> {
  return (await exec('patchelf', [option, file])).stdout.trim();
}

let directory: string;
/** A directory whose name is longer than any place a linker leaves. */
let deep: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tapline-elf-peers-'));
  deep = join(directory, 'd'.repeat(120));
  await mkdir(deep);
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Edits a program so that only the new values can start it, and compares with patchelf. */
async function editProgram(
  source: string,
  edit: { readonly interpreter: string; readonly path: string; readonly kind: 'rpath' | 'runpath' },
): Promise<string> {
  const original = await readFile(source);
  const edited = editElf(original, {
    interpreter: edit.interpreter,
    rpath: { kind: edit.kind, value: edit.path },
  });
  const target = join(await mkdtemp(join(directory, 'edited-')), basename(source));
  await writeFile(target, edited, { mode: 0o755 });
  expect(await patchelf('--print-interpreter', target)).toBe(edit.interpreter);
  expect(await patchelf('--print-rpath', target)).toBe(edit.path);
  const [before, after] = await Promise.all([complaints(source), complaints(target)]);
  expect(after).toEqual(before);
  expect(parseElf(edited).buildId).toBe(parseElf(original).buildId);
  return target;
}

const tools = ['/usr/bin/readelf', '/usr/bin/patchelf'];
const noTools = tools.every((tool) => existsSync(tool)) ? undefined : 'no readelf or patchelf';

const localReason = noTools ?? (arch() === 'x64' ? undefined : 'not an x86-64 machine');
const local = [
  '/bin/bash',
  '/bin/ls',
  '/bin/tar',
  '/bin/sed',
  '/bin/grep',
  '/bin/gzip',
  '/usr/bin/find',
  '/usr/bin/sort',
  '/usr/bin/diff',
  '/usr/bin/env',
  '/usr/bin/git',
  '/usr/bin/curl',
  '/usr/bin/openssl',
  '/usr/bin/perl',
  '/usr/bin/python3',
  '/usr/bin/jq',
  '/usr/bin/gcc',
  '/usr/bin/as',
  '/usr/bin/runc',
  '/usr/bin/skopeo',
  '/usr/bin/umoci',
  '/usr/bin/etcd',
  '/usr/bin/qemu-system-x86_64',
  process.execPath,
].filter((file) => existsSync(file));

describe.skipIf(localReason !== undefined)(
  `programs of this machine (${localReason ?? 'x86-64'})`,
  () => {
    let interpreter: string;

    beforeAll(async () => {
      interpreter = join(deep, 'ld-linux-x86-64.so.2');
      await symlink('/lib64/ld-linux-x86-64.so.2', interpreter);
    });

    test('are a dozen at least', () => {
      expect(local.length).toBeGreaterThanOrEqual(12);
    });

    test.each(local)('%s', { timeout: 120_000 }, async (program) => {
      const source = await realpath(program);
      // readelf takes seconds for each look at 100 MB.
      const kinds =
        program === process.execPath ? (['runpath'] as const) : (['rpath', 'runpath'] as const);
      for (const kind of kinds) {
        const path = `${deep}:$ORIGIN/../lib`;
        const target = await editProgram(source, { interpreter, path, kind });
        const version = program.endsWith('/openssl') ? 'version' : '--version';
        const expected = await run(source, [version]);
        expect(expected.stdout).not.toBe('');
        const edited = await run(target, [version]);
        expect(withoutPaths(edited.stdout)).toBe(withoutPaths(expected.stdout));
        expect(edited.exitCode).toBe(expected.exitCode);
      }
    });

    test.skipIf(!existsSync('/usr/bin/jq'))('libraries, found where the program says', async () => {
      const interpreterOption = { interpreter, path: deep, kind: 'runpath' } as const;
      const program = await editProgram('/usr/bin/jq', interpreterOption);
      for (const name of ['libjq.so.1', 'libonig.so.5']) {
        const library = await readFile(`/usr/lib/x86_64-linux-gnu/${name}`);
        const rpath = { kind: 'runpath', value: `${deep}:/${'x'.repeat(200)}` } as const;
        await writeFile(join(deep, name), editElf(library, { rpath }));
        expect(await complaints(join(deep, name))).toEqual(['']);
      }
      const { stdout } = await run(interpreter, ['--list', program]);
      expect(stdout).toContain(`libjq.so.1 => ${deep}/libjq.so.1 `);
      expect(stdout).toContain(`libonig.so.5 => ${deep}/libonig.so.5 `);
      const { stdout: result } = await run(program, ['-n', '"abc" | test("b.")']);
      expect(result).toBe('true\n');
    });
  },
);

// One of each way to link; the corpus beside this runs hundreds.
const arm64Programs = ['bin/bash', 'bin/ls', 'usr/bin/gawk', 'usr/bin/python3.11', 'usr/bin/jq'];
const emulator = '/usr/bin/qemu-aarch64-static';

const arm64Reason =
  noTools ?? (existsSync(emulator) ? await debianUnavailable('arm64') : 'no qemu-aarch64-static');

describe.skipIf(arm64Reason !== undefined)(
  `arm64 programs of Debian (${arm64Reason ?? 'qemu-aarch64'})`,
  () => {
    let root: string;
    let loader: string;
    let libraries: readonly string[];
    let interpreter: string;

    beforeAll(async () => {
      root = join(directory, 'arm64');
      await unpackPackages(root, { architecture: 'arm64', names: packageNames });
      libraries = ['lib', 'usr/lib'].map((name) => join(root, name, 'aarch64-linux-gnu'));
      loader = join(root, 'lib/ld-linux-aarch64.so.1');
      interpreter = join(deep, 'ld-linux-aarch64.so.1');
      await symlink(loader, interpreter);
    }, 120_000);

    test.each(arm64Programs)('%s', { timeout: 120_000 }, async (program) => {
      const source = join(root, program);
      // DT_RPATH also serves the libraries of libraries, so nothing else has to find them.
      const path = [...libraries, `$ORIGIN/${'y'.repeat(200)}`].join(':');
      const target = await editProgram(source, { interpreter, path, kind: 'rpath' });
      const byHand = ['--library-path', libraries.join(':'), source, '--version'];
      const expected = await run(emulator, [loader, ...byHand]);
      expect(expected.exitCode).toBe(0);
      const edited = await run(emulator, [target, '--version']);
      expect(withoutPaths(edited.stdout)).toBe(withoutPaths(expected.stdout));
      const bytes = await readFile(target);
      const loads = parseElf(bytes).programHeaders.filter(({ type }) => type === 1);
      const added = loads.at(-1);
      expect(added?.align).toBe(0x10000);
    });

    test('libraries', async () => {
      const source = join(root, 'usr/lib/aarch64-linux-gnu');
      const place = await mkdtemp(join(directory, 'libraries-'));
      for (const name of ['libjq.so.1', 'libonig.so.5']) {
        const rpath = { kind: 'rpath', value: [place, ...libraries].join(':') } as const;
        const edited = editElf(await readFile(join(source, name)), { rpath });
        await writeFile(join(place, name), edited);
        expect(await complaints(join(place, name))).toEqual(['']);
      }
      const path = [place, ...libraries].join(':');
      const program = join(root, 'usr/bin/jq');
      const target = await editProgram(program, { interpreter, path, kind: 'rpath' });
      const { stdout } = await run(emulator, [loader, '--list', target]);
      expect(stdout).toContain(`libjq.so.1 => ${place}/libjq.so.1 `);
      const { stdout: result } = await run(emulator, [target, '-n', '"abc" | test("b.")']);
      expect(result).toBe('true\n');
    });
  },
);

/** `file` names its data files, `perl` and others themselves. */
function withoutPaths(text: string): string {
  return text.replaceAll(/\/\S+/g, 'PATH');
}
