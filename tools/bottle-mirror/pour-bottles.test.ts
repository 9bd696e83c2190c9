import { execFile } from 'node:child_process';
import { join } from 'node:path';

import { haveProgram, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';

import { debianUnavailable } from '../debian/debian-unavailable.ts';
import { startBottleMirror } from './bottle-mirror.ts';
import type { PlatformTag } from './platform.ts';
import { pourBottles } from './pour-bottles.ts';

interface Outcome {
  readonly code: number | string | null | undefined;
  /** What it wrote to both streams. */
  readonly output: string;
}

interface Trial {
  readonly formula: string;
  readonly platform: PlatformTag;
  readonly command: readonly string[];
  readonly tag?: string;
}

/** Pours a formula into a fresh prefix and runs one of its programs there. */
async function tryOut({ formula, platform, command, tag }: Trial): Promise<Outcome> {
  await using folder = await temporaryFolder();
  await using mirror = await startBottleMirror({ formulae: [formula], platforms: [platform] });
  const prefix = folder.path;
  await pourBottles(formula, {
    url: mirror.url,
    platform,
    prefix,
    ...(tag !== undefined && { tag }),
  });
  const [program = '', ...args] = command;
  const path = join(prefix, 'opt', formula, 'bin', program);
  const emulated = platform === 'arm64_linux' ? ['qemu-aarch64-static', path] : [path];
  const [executable = '', ...rest] = [...emulated, ...args];
  // Awaited here: what is disposed at the end of this function is in use until then.
  return await new Promise((resolve) => {
    execFile(executable, rest, { env: { LC_ALL: 'C' } }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, output: stdout + stderr });
    });
  });
}

async function unlessNative(platform: PlatformTag): Promise<string | undefined> {
  const native = process.arch === 'arm64' ? 'arm64_linux' : 'x86_64_linux';
  if (platform === 'arm64_linux' && native !== platform && !haveProgram('qemu-aarch64-static')) {
    return '(needs qemu-aarch64-static)';
  }
  if (platform === 'x86_64_linux' && native !== platform) return '(needs an x86-64 machine)';
  return debianUnavailable(platform === 'arm64_linux' ? 'arm64' : 'amd64');
}

const noX64 = await unlessNative('x86_64_linux');
const noArm = await unlessNative('arm64_linux');

const trials: readonly (readonly [formula: string, command: readonly string[], output: RegExp])[] =
  [
    ['jq', ['jq', '-n', '"a1" | test("[0-9]")'], /^true\n$/],
    ['bash', ['bash', '--norc', '-c', 'echo $((6 * 7)) $BASH_VERSION'], /^42 5\.2/],
    ['coreutils', ['sort', '--version'], /^sort \(GNU coreutils\) 9\.1/],
    ['sqlite', ['sqlite3', ':memory:', 'select 6 * 7'], /^42\n$/],
    ['openssl@3', ['openssl', 'version'], /^OpenSSL 3\./],
    ['curl', ['curl', '--version'], /^curl 7\.88\.1 .*OpenSSL.*nghttp2/],
    ['git', ['git', '--version'], /^git version 2\./],
    ['gawk', ['gawk', 'BEGIN { print 6 * 7 }'], /^42\n$/],
    ['bzip2', ['bzip2', '--help'], /^bzip2, a block-sorting file compressor/],
    ['pcre2', ['pcre2test', '-C'], /PCRE2 version 10/],
    ['ncurses', ['tput', '-V'], /^ncurses 6/],
    ['tree', ['tree', '--version'], /^tree v2/],
    ['hello', ['hello'], /^Hello, world!/],
  ];

describe.skipIf(noX64 !== undefined)(`poured x86_64 bottles start ${noX64 ?? ''}`, () => {
  test.each(trials)('%s', { timeout: 120_000 }, async (formula, command, output) => {
    const outcome = await tryOut({ formula, platform: 'x86_64_linux', command });
    expect(outcome).toEqual({ code: 0, output: expect.stringMatching(output) });
  });

  test('jq 1.7.1 does not: it needs a newer glibc', { timeout: 120_000 }, async () => {
    const command = ['jq', '--version'];
    const trial = { formula: 'jq', platform: 'x86_64_linux', command, tag: '1.7.1' } as const;
    const { code, output } = await tryOut(trial);
    expect(code).toBe(1);
    expect(output).toMatch(/version `GLIBC_2\.3\d' not found/);
  });
});

describe.skipIf(noArm !== undefined)(`poured arm64 bottles start ${noArm ?? ''}`, () => {
  const few = trials.filter(([formula]) => ['jq', 'bash', 'coreutils'].includes(formula));
  test.each(few)('%s', { timeout: 120_000 }, async (formula, command, output) => {
    const outcome = await tryOut({ formula, platform: 'arm64_linux', command });
    expect(outcome).toEqual({ code: 0, output: expect.stringMatching(output) });
  });
});
