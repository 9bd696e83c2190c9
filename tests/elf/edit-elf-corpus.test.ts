import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { editElf, type ElfFile, parseElf, type RpathEdit } from '@tapline/elf';
import { type TemporaryFolder, temporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { debianUnavailable } from '../../tools/debian/debian-unavailable.ts';
import { dynamicFiles } from './dynamic-files.ts';
import { runEditedFiles } from './run-edited-files.ts';
import { packageNames, unpackPackages } from './unpack-packages.ts';

const exec = promisify(execFile);

interface Member {
  readonly name: string;
  readonly original: ElfFile;
  readonly interpreter?: string;
  readonly rpath: Exclude<RpathEdit, { kind: 'none' }>;
}

// What fits where an old value is, what needs a segment, what is longer than a page.
const pathLengths = [2, 60, 200, 5000];
// TAPLINE_ELF_PROOF=whole has readelf and patchelf look at every file and each program run. Else it is each
// third one, and of those that patchelf left, which are like the linker's but for their layout, a third
// again. All libraries are loaded.
const isWhole = process.env['TAPLINE_ELF_PROOF'] === 'whole';
const share = isWhole ? 1 : 3;
const placeholder = '@@PLACEHOLDER@@';

function planMember(path: string, index: number, original: ElfFile): Member {
  const length = pathLengths[index % pathLengths.length] ?? 0;
  return {
    name: `${index}-${basename(path)}`,
    original,
    rpath: { kind: index % 3 === 0 ? 'rpath' : 'runpath', value: `/${'p'.repeat(length)}` },
    ...(original.interpreter !== undefined && {
      interpreter: `/${'i'.repeat((index % 4) * 50 + 1)}`,
    }),
  };
}

const machines = [
  {
    architecture: 'amd64',
    triplet: 'x86_64-linux-gnu',
    loader: 'ld-linux-x86-64.so.2',
    emulator: undefined,
    cannotRun: process.arch === 'x64' ? undefined : 'not an x86-64 machine',
  },
  {
    architecture: 'arm64',
    triplet: 'aarch64-linux-gnu',
    loader: 'ld-linux-aarch64.so.1',
    emulator: '/usr/bin/qemu-aarch64-static',
    cannotRun: existsSync('/usr/bin/qemu-aarch64-static') ? undefined : 'no qemu-aarch64-static',
  },
] as const;

describe.each(machines)('$architecture', async (machine) => {
  const { architecture, cannotRun } = machine;
  const unavailable = await debianUnavailable(architecture);

  describe.skipIf(unavailable !== undefined)(
    `programs and libraries of Debian ${unavailable ?? ''}`,
    () => {
      let folder: TemporaryFolder;
      let root: string;
      let members: readonly Member[];
      let programs: readonly string[];
      let names: readonly string[];

      beforeAll(async () => {
        folder = await temporaryFolder();
        root = join(folder.path, 'root');
        await unpackPackages(root, { architecture, names: packageNames });
        for (const kind of ['original', 'edited', 'expected', 'patched', 'edited-patched']) {
          await mkdir(join(folder.path, kind));
        }
        members = await collect(root, join(folder.path, 'original'));
        names = members.map(({ name }) => name);
        programs = members
          .filter(({ interpreter }) => interpreter !== undefined)
          .map(({ name }) => name);
      }, 120_000);

      afterAll(async () => {
        await folder?.[Symbol.asyncDispose]();
      });

      async function editAll(from: string, to: string): Promise<void> {
        for (const { name, interpreter, rpath } of members) {
          const bytes = await readFile(join(folder.path, from, name));
          const edited = editElf(bytes, { rpath, ...(interpreter && { interpreter }) });
          expect(Buffer.from(edited).includes(placeholder), `old values in ${name}`).toBe(false);
          await writeFile(join(folder.path, to, name), edited);
        }
      }

      /** One process for all files, since starting it takes longer than a file does. */
      async function read(
        kind: string,
        [program = '', ...options]: readonly string[],
        files: readonly string[] = names,
      ): Promise<{ readonly stdout: string; readonly stderr: string }> {
        const cwd = join(folder.path, kind);
        return exec(program, [...options, ...files], { cwd, maxBuffer: 2 ** 28 });
      }

      async function expectSound(original: string, edited: string): Promise<void> {
        const paths = await read(edited, ['patchelf', '--print-rpath']);
        expect(paths.stdout.split('\n')).toEqual([...members.map(({ rpath }) => rpath.value), '']);
        const interpreters = await read(edited, ['patchelf', '--print-interpreter'], programs);
        expect(interpreters.stdout.split('\n')).toEqual([
          ...members.flatMap(({ interpreter }) => interpreter ?? []),
          '',
        ]);
        // Libraries, symbols and versions are named through the string table, which may have moved:
        // with section headers and, as the loader does it, without.
        for (const command of [
          ['patchelf', '--print-needed'],
          ['patchelf', '--print-soname'],
          ['readelf', '-W', '--dyn-syms', '-V'],
          ['readelf', '-W', '-D', '--dyn-syms'],
        ]) {
          const before = await read(original, command);
          const after = await read(edited, command);
          expect(before.stdout.length).toBeGreaterThan(members.length);
          expect(firstDifference(before.stdout, after.stdout), command.join(' ')).toBeUndefined();
        }
        const structure = ['readelf', '-W', '-h', '-l', '-S', '-d', '-n', '-r'];
        const complaints = complaintsOf((await read(edited, structure)).stderr);
        expect(complaints).toEqual(complaintsOf((await read(original, structure)).stderr));
      }

      test('are hundreds', () => {
        expect(members.length).toBeGreaterThan(400 / share);
        expect(programs.length).toBeGreaterThan(250 / share);
      });

      test('as the linker left them', { timeout: 120_000 }, async () => {
        await editAll('original', 'edited');
        await expectSound('original', 'edited');
        for (const { name, original, rpath } of members) {
          const edited = parseElf(await readFile(join(folder.path, 'edited', name)));
          expect(edited[rpath.kind], name).toBe(rpath.value);
          expect(edited.buildId, name).toBe(original.buildId);
        }
      });

      test('as patchelf would have set it', { timeout: 120_000 }, async () => {
        for (const { name } of members) {
          await copyFile(join(folder.path, 'original', name), join(folder.path, 'expected', name));
        }
        for (const [option, files] of patchelfRuns(members)) {
          await read('expected', ['patchelf', ...option], files);
        }
        // What a loader goes by; where in the file it stands is each editor's own affair.
        const expected = await read('expected', ['readelf', '-W', '-l', '-d']);
        const edited = await read('edited', ['readelf', '-W', '-l', '-d']);
        const values = dynamicValues(expected.stdout);
        expect(values.length).toBeGreaterThan(3 * members.length);
        expect(firstDifference(values.join('\n'), dynamicValues(edited.stdout).join('\n'))).toBe(
          undefined,
        );
      });

      test.skipIf(cannotRun !== undefined)(
        `still run and load${cannotRun === undefined ? '' : ` (skipped: ${cannotRun})`}`,
        { timeout: 180_000 },
        async () => {
          const { triplet, emulator } = machine;
          const report = await runEditedFiles(dynamicFiles(root), {
            root,
            folder: folder.path,
            triplet,
            loader: `lib/${triplet}/${machine.loader}`,
            share,
            ...(emulator !== undefined && { emulator }),
          });
          const { problems, ...counts } = report;
          console.info(`${architecture}: of ${members.length} files`, counts);
          expect(problems).toEqual([]);
          expect(report.ran).toBeGreaterThan(250 / share);
          expect(report.loaded).toBeGreaterThan(140);
          expect(report.unloadable).toBeLessThan(5);
        },
      );

      test('as patchelf left them', { timeout: 120_000 }, async () => {
        members = members.filter(({ name }, index) => {
          // Of a fixed address: patchelf splits its string table.
          return isWhole || index % 3 === 0 || name.endsWith('-gawk');
        });
        names = members.map(({ name }) => name);
        programs = names.filter((_, index) => members[index]?.interpreter !== undefined);
        for (const name of names) {
          await copyFile(join(folder.path, 'original', name), join(folder.path, 'patched', name));
        }
        // As bottles have them: longer than what the linker wrote.
        const text = join(folder.path, 'rpath');
        await writeFile(text, `${placeholder}/lib:${placeholder}/opt/${'x'.repeat(180)}`);
        await read('patched', ['patchelf', '--set-rpath', `@${text}`]);
        let split = 0;
        for (const name of names) {
          split += isTableSplit(parseElf(await readFile(join(folder.path, 'patched', name))))
            ? 1
            : 0;
        }
        // gawk's, among the programs of a fixed address; pages of 64 KiB leave room enough.
        expect(split > 0).toBe(architecture === 'amd64');
        await editAll('patched', 'edited-patched');
        await expectSound('patched', 'edited-patched');
      });
    },
  );
});

/** The dynamic ELF files below `root` that are looked at; gawk's, as it is of a fixed address. */
async function* lookedAt(root: string): ReturnType<typeof dynamicFiles> {
  let index = 0;
  for await (const file of dynamicFiles(root)) {
    if (index % share === 0 || basename(file.path) === 'gawk') yield file;
    index += 1;
  }
}

/** Puts the dynamic ELF files below `root` into one folder, each once. */
async function collect(root: string, target: string): Promise<readonly Member[]> {
  const members: Member[] = [];
  for await (const { path, bytes, elf } of lookedAt(root)) {
    const member = planMember(path, members.length, elf);
    await writeFile(join(target, member.name), bytes);
    members.push(member);
  }
  return members;
}

/** What patchelf has to be told, files with the same values together. */
function patchelfRuns(
  members: readonly Member[],
): readonly (readonly [option: readonly string[], files: readonly string[]])[] {
  const runs = new Map<string, string[]>();
  function add(option: readonly string[], name: string): void {
    const key = JSON.stringify(option);
    runs.set(key, [...(runs.get(key) ?? []), name]);
  }
  for (const { name, interpreter, rpath } of members) {
    const force = rpath.kind === 'rpath' ? ['--force-rpath'] : [];
    add([...force, '--set-rpath', rpath.value], name);
    if (interpreter !== undefined) add(['--set-interpreter', interpreter], name);
  }
  return [...runs].map(([key, files]) => [JSON.parse(key) as readonly string[], files]);
}

/** The lines of `readelf -l -d` that say what is loaded from where, sorted in each file. */
function dynamicValues(text: string): readonly string[] {
  return text.split('\nFile: ').flatMap((file) => {
    const [name = '', ...lines] = file.split('\n');
    const values = lines.flatMap((line) => {
      const entry = /^ 0x[0-9a-f]+ (\((?:NEEDED|SONAME|RPATH|RUNPATH)\).*)$/.exec(line)?.[1];
      const interpreter = /\[Requesting program interpreter: .*\]/.exec(line)?.[0];
      return entry ?? interpreter ?? [];
    });
    return [name, ...values.toSorted()];
  });
}

/** Whether the dynamic string table goes on from one segment into another. */
function isTableSplit({ programHeaders, sectionHeaders }: ElfFile): boolean {
  const table = sectionHeaders.find(({ name }) => name === '.dynstr');
  if (table === undefined) return false;
  return programHeaders.some(
    ({ type, virtualAddress: start }) =>
      type === 1 && start > table.address && start < table.address + table.size,
  );
}

/** The first line that differs; outputs of millions of bytes are too long to be shown. */
function firstDifference(before: string, after: string): unknown {
  if (before === after) return undefined;
  const lines = after.split('\n');
  const expected = before.split('\n');
  const index = expected.findIndex((line, at) => line !== lines[at]);
  return { line: index + 1, expected: expected[index], found: lines[index] };
}

function complaintsOf(stderr: string): readonly string[] {
  return stderr.split('\n').map((line) => line.replaceAll(/0x[0-9a-f]+/g, 'N'));
}
