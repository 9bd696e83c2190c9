import { execFile } from 'node:child_process';
import { join } from 'node:path';

import { haveProgram, temporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { debianUnavailable } from '../debian/debian-unavailable.ts';
import { startBottleMirror } from './bottle-mirror.ts';
import type { PlatformTag } from './platform.ts';
import { pourBottles } from './pour-bottles.ts';

interface Outcome {
  readonly code: number | string | null | undefined;
  /** What it wrote to both streams. */
  readonly output: string;
}

interface Prefix extends AsyncDisposable {
  /** Runs a program of a formula that was asked for. */
  run(formula: string, command: readonly string[]): Promise<Outcome>;
}

/** Pours formulae, and what they need, into one fresh prefix, as on a machine of Homebrew's. */
async function pourInto(
  formulae: readonly string[],
  { platform, tag }: { readonly platform: PlatformTag; readonly tag?: string },
): Promise<Prefix> {
  const folder = await temporaryFolder();
  await using mirror = await startBottleMirror({ formulae, platforms: [platform] });
  const prefix = folder.path;
  const options = { url: mirror.url, platform, prefix, ...(tag !== undefined && { tag }) };
  await pourBottles(formulae, options);
  return {
    run(formula, [program = '', ...args]) {
      const path = join(prefix, 'opt', formula, 'bin', program);
      const emulated = platform === 'arm64_linux' ? ['qemu-aarch64-static', path] : [path];
      const [executable = '', ...rest] = [...emulated, ...args];
      return new Promise((resolve) => {
        execFile(executable, rest, { env: { LC_ALL: 'C' } }, (error, stdout, stderr) => {
          resolve({ code: error === null ? 0 : error.code, output: stdout + stderr });
        });
      });
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
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

const few = trials.filter(([formula]) => ['jq', 'bash', 'coreutils'].includes(formula));

describe.each([
  { platform: 'x86_64_linux', tried: trials, unavailable: noX64 },
  { platform: 'arm64_linux', tried: few, unavailable: noArm },
] as const)('poured $platform bottles start', ({ platform, tried, unavailable }) => {
  describe.skipIf(unavailable !== undefined)(`from one prefix ${unavailable ?? ''}`, () => {
    let poured: Prefix;
    beforeAll(async () => {
      poured = await pourInto([...new Set(tried.map(([formula]) => formula))], { platform });
    }, 240_000);
    afterAll(() => poured[Symbol.asyncDispose]());

    test.each(tried)('%s', { timeout: 120_000 }, async (formula, command, output) => {
      const outcome = await poured.run(formula, command);
      expect(outcome).toEqual({ code: 0, output: expect.stringMatching(output) });
    });
  });
});

test.skipIf(noX64 !== undefined)(
  `jq 1.7.1 does not: it needs a newer glibc ${noX64 ?? ''}`,
  { timeout: 120_000 },
  async () => {
    await using poured = await pourInto(['jq'], { platform: 'x86_64_linux', tag: '1.7.1' });
    const { code, output } = await poured.run('jq', ['jq', '--version']);
    expect(code).toBe(1);
    expect(output).toMatch(/version `GLIBC_2\.3\d' not found/);
  },
);
