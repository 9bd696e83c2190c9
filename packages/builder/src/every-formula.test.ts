import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, open, readdir, realpath, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { haveProgram, type TemporaryFolder, temporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type BottleMirror,
  startBottleMirror,
} from '../../../tools/bottle-mirror/bottle-mirror.ts';
import { debianUnavailable } from '../../../tools/debian/debian-unavailable.ts';
import type { BuildEvent } from './build-event.ts';
import type { BuiltImage, BuiltPlatform } from './built-image.ts';
import { layOutRoot } from './testing/lay-out-root.ts';
import { amd64, arm64, openTestBuilder, type TestBuilder } from './testing/open-test-builder.ts';

const prefix = '/home/linuxbrew/.linuxbrew';

interface Trial {
  readonly formula: string;
  /** A program of the formula, and its arguments; `MIRROR` is the mirror's address. */
  readonly command: readonly string[];
  readonly input?: string;
  readonly output: RegExp;
}

const blobOfHello = 'ce013625030ba8dba906f756967f9e9ca394464a';
const sha256OfHello = '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03';

/** A real use of each program; a formula with a main program and without a trial is a failure. */
const trials: readonly Trial[] = [
  { formula: 'bash', command: ['bash', '-c', 'echo $((6 * 7)) "$HOME"'], output: /^42 \/\S+\n$/ },
  {
    formula: 'bzip2',
    command: ['bzip2', '-c'],
    input: 'hello\n',
    output: /^BZh9/,
  },
  { formula: 'coreutils', command: ['ls', '-A', '/home/linuxbrew'], output: /^\.linuxbrew\n$/ },
  {
    formula: 'coreutils',
    command: ['sha256sum'],
    input: 'hello\n',
    output: new RegExp(`^${sha256OfHello} `),
  },
  { formula: 'curl', command: ['curl', '--version'], output: /^curl 7\S+ .*OpenSSL.*nghttp2/ },
  {
    formula: 'curl',
    command: ['curl', '-fsS', 'MIRROR/api/formula/jq.json'],
    output: /^\{"name":"jq"/,
  },
  { formula: 'gawk', command: ['gawk', 'BEGIN { print 6 * 7 }'], output: /^42\n$/ },
  {
    formula: 'gawk',
    command: ['gawk', '-M', 'BEGIN { print 2 ^ 100 }'],
    output: /^1267650600\d+\n$/,
  },
  { formula: 'git', command: ['git', '--version'], output: /^git version 2\./ },
  {
    formula: 'git',
    command: ['git', 'hash-object', '--stdin'],
    input: 'hello\n',
    output: new RegExp(`^${blobOfHello}\n$`),
  },
  {
    formula: 'git',
    command: ['git', 'init', '/tmp/new'],
    output: /^Initialized empty Git repository in \/tmp\/new/,
  },
  { formula: 'hello', command: ['hello'], output: /^Hello, world!\n$/ },
  { formula: 'jq', command: ['jq', '-c', '.a'], input: '{"a":[1]}', output: /^\[1\]\n$/ },
  {
    formula: 'ncurses',
    // Without the option it looks where Debian has its terminals.
    command: ['infocmp', '-A', `${prefix}/opt/ncurses/share/terminfo`, 'xterm'],
    output: /^xterm\|/m,
  },
  { formula: 'openssl@3', command: ['openssl', 'version'], output: /^OpenSSL 3\./ },
  {
    formula: 'openssl@3',
    command: ['openssl', 'dgst', '-sha256'],
    input: 'hello\n',
    output: new RegExp(`${sha256OfHello}\n$`),
  },
  { formula: 'pcre2', command: ['pcre2test', '-C'], output: /PCRE2 version 10/ },
  { formula: 'sqlite', command: ['sqlite3', ':memory:', 'select 1 + 1'], output: /^2\n$/ },
  { formula: 'tree', command: ['tree', '-L', '1', '/home'], output: /linuxbrew/ },
];

/** Formulae with a main program that these images cannot run. */
const untried: Readonly<Record<string, string>> = {
  'ca-certificates': 'a script, and the image has no shell',
  // Homebrew's own have the keg's loader, and are poured as they are.
  glibc: "Debian's programs of glibc look for the loader where Debian has it",
};

interface Machine {
  readonly platform: typeof amd64 | typeof arm64;
  /** Why its programs cannot be run here; empty where they can. */
  readonly skipped: string;
  /** What runs its programs. */
  readonly emulator?: string;
}

const needs = ['tar', 'cp', 'chroot'].filter((program) => !haveProgram(program));
const noChroot =
  needs.length > 0
    ? `(skipped: no ${needs.join(', ')})`
    : process.getuid?.() === 0
      ? ''
      : '(skipped: chroot needs root)';
const notX64 = process.arch === 'x64' ? '' : '(skipped: not an x86-64 machine)';
const emulator = '/usr/bin/qemu-aarch64-static';
const noEmulator = existsSync(emulator) ? '' : '(skipped: no qemu-aarch64-static)';
const machines: readonly Machine[] = [
  { platform: amd64, skipped: noChroot || notX64 },
  { platform: arm64, skipped: noChroot || noEmulator, emulator },
];

const unavailable = (await debianUnavailable('amd64')) ?? (await debianUnavailable('arm64'));

describe.skipIf(unavailable !== undefined)(
  `every formula of the mirror ${unavailable ?? ''}`,
  () => {
    let mirror: BottleMirror;
    let folder: TemporaryFolder;
    let opened: TestBuilder;
    const built = new Map<string, BuiltImage>();
    const events: BuildEvent[] = [];

    beforeAll(async () => {
      mirror = await startBottleMirror();
      folder = await temporaryFolder();
      opened = await openTestBuilder(folder.path, mirror.environment);
      for (const formula of mirror.formulae) {
        const onEvent = (event: BuildEvent): void => void events.push(event);
        built.set(
          formula,
          await opened.builder.build({ formula, platforms: [amd64, arm64], onEvent }),
        );
      }
    }, 300_000);

    afterAll(async () => {
      await opened?.[Symbol.asyncDispose]();
      await folder?.[Symbol.asyncDispose]();
      await mirror?.[Symbol.asyncDispose]();
    });

    function imageOf(formula: string, { architecture }: Machine['platform']): BuiltPlatform {
      const images = built.get(formula)?.images ?? [];
      const image = images.find(({ platform }) => platform.architecture === architecture);
      if (image === undefined) throw new RangeError(`no image of ${formula} for ${architecture}`);
      return image;
    }

    test('becomes an image for both platforms, with every file relocated', () => {
      expect(built.size).toBeGreaterThan(40);
      for (const { images } of built.values()) expect(images).toHaveLength(2);
      expect(events.filter((event) => event.kind === 'not-relocated')).toEqual([]);
    });

    test('has a trial below when it has a main program', () => {
      const tried = new Set(trials.map(({ formula }) => formula));
      const withMain = [...built.values()]
        .filter(({ images }) => images.some((image) => image.mainCommand !== undefined))
        .map(({ formula }) => formula);
      expect(withMain.filter((formula) => !tried.has(formula))).toEqual(Object.keys(untried));
    });

    describe.each(machines)(
      '$platform.architecture $skipped',
      ({ platform, skipped, ...machine }) => {
        const roots = new Map<string, string>();

        async function rootOf(formula: string): Promise<string> {
          const known = roots.get(formula);
          if (known !== undefined) return known;
          const root = await layOutRoot(opened.store, imageOf(formula, platform), folder.path);
          if (machine.emulator !== undefined) await cp(machine.emulator, join(root, 'emulator'));
          // What git needs of the devices that every runtime provides.
          await mkdir(join(root, 'dev'), { recursive: true });
          await writeFile(join(root, 'dev/null'), '');
          await chmod(join(root, 'dev/null'), 0o666);
          roots.set(formula, root);
          return root;
        }

        /** Runs a program as the image's user, with the image's environment and no other. */
        async function runIn(
          formula: string,
          command: readonly string[],
          input?: string,
        ): Promise<string> {
          const { User = '', Env = [] } = imageOf(formula, platform).config.config ?? {};
          const root = await rootOf(formula);
          const args = [
            `--userspec=${User}`,
            root,
            ...(machine.emulator === undefined ? [] : ['/emulator']),
            ...command,
          ];
          const env = Object.fromEntries(Env.map((entry) => entry.split(/=(.*)/s)));
          return await new Promise((resolve) => {
            const child = execFile(
              '/usr/sbin/chroot',
              args,
              { env, timeout: 30_000 },
              (...outcome) => {
                const [error, stdout, stderr] = outcome;
                resolve(error === null ? stdout : `${error.message}\n${stdout}${stderr}`);
              },
            );
            // A program that fails may be gone before it is given anything; how it ended says why.
            child.stdin?.on('error', () => {});
            child.stdin?.end(input);
          });
        }

        test.skipIf(skipped !== '').each(trials)(
          '$command of $formula',
          { timeout: 60_000 },
          async ({ formula, command: [name = '', ...args], input, output }) => {
            const path = imageOf(formula, platform).executables.find(
              (file) => basename(file) === name,
            );
            const values = args.map((text) => text.replace('MIRROR', mirror.url));
            expect(await runIn(formula, [path ?? name, ...values], input)).toMatch(output);
          },
        );

        test.skipIf(skipped !== '')(
          'programs and libraries find the libraries they need within the image',
          { timeout: 120_000 },
          async () => {
            const problems: string[] = [];
            let checked = 0;
            // Debian's loader searches Debian's folders for what glibc's own files need.
            for (const formula of [...built.keys()].filter((name) => name !== 'glibc')) {
              for (const path of await elfFilesOf(await rootOf(formula), formula)) {
                checked += 1;
                const listed = await runIn(formula, [`${prefix}/lib/ld.so`, '--list', path]);
                problems.push(...outsideOf(listed).map((line) => `${path}: ${line}`));
              }
            }
            expect(problems).toEqual([]);
            expect(checked).toBeGreaterThan(200);
          },
        );
      },
    );
  },
);

/** Paths within the image of a keg's ELF files. */
async function elfFilesOf(root: string, formula: string): Promise<readonly string[]> {
  const keg = await realpath(join(root, prefix, 'opt', formula));
  const found: string[] = [];
  for (const entry of await readdir(keg, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    await using file = await open(path);
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    if (buffer.toString('latin1') === '\x7fELF') found.push(`/${relative(root, path)}`);
  }
  return found;
}

/** What `ld.so --list` says of libraries outside the prefix, missing ones among them. */
function outsideOf(listed: string): readonly string[] {
  return listed
    .split('\n')
    .filter((line) => /not found|cannot|failed|=> \/(?!home\/linuxbrew\/)/.test(line));
}
