import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { haveProgram, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { debianUnavailable } from '../../tools/debian/debian-unavailable.ts';
import { unpackPackages } from '../elf/unpack-packages.ts';
import { unpackSource } from './debian-source.ts';
import { qemuSystemUnavailable, runInQemu } from './qemu-system.ts';
import { runInUserland } from './run-in-userland.ts';
import { type SelfTest, selfTests } from './self-test-list.ts';

/** `TAPLINE_USERLAND=long npx vitest run tests/userland/self-tests.test.ts`: all of them, some minutes. */
const long = process.env['TAPLINE_USERLAND'] === 'long';

const compiler = 'aarch64-linux-gnu-gcc';
const downloader = '/usr/lib/apt/apt-helper';
const missing = [compiler, 'qemu-aarch64-static'].find((program) => !haveProgram(program));
const reason =
  missing ??
  (existsSync(downloader) ? undefined : downloader) ??
  (await debianUnavailable('arm64')) ??
  qemuSystemUnavailable();

const env = ['PATH=/usr/bin:/bin', 'HOME=/tmp', 'LC_ALL=C.UTF-8', 'TZ=UTC', 'TERM=xterm'];

const chosen = selfTests.filter(({ sample }) => long || sample !== undefined);

describe.skipIf(reason !== undefined)(
  `the tests of programs' authors as under qemu (needs ${reason ?? 'nothing'})`,
  () => {
    test.each(chosen.map((each) => [each.name, each] as const))(
      'those of %s',
      { timeout: long ? 900_000 : 120_000 },
      async (_, each) => {
        await using folder = await temporaryFolder();
        await prepare(folder.path, each);
        const script = long ? each.script : (each.sample ?? each.script);
        const argv = [each.shell, '-c', `cd /tmp; ${script}`];
        const timeoutMs = long ? 850_000 : 100_000;
        const theirs = runInQemu(folder.path, { argv, env, stdin: '', timeoutMs });
        const { unknown, ...ours } = await runInUserland(folder.path, { argv, env, stdin: '' });
        expect(ours).toEqual(theirs);
        expect(ours.stdout).toMatch(long ? each.passes : (each.samplePasses ?? each.passes));
        expect(unknown).toEqual([]);
      },
    );
  },
);

async function prepare(root: string, { name, source, parts, helpers = [], packages }: SelfTest) {
  await unpackPackages(root, { architecture: 'arm64', names: packages });
  for (const each of ['dev', 'proc', 'tmp']) mkdirSync(join(root, each), { recursive: true });
  const folder = join(root, 'work', name);
  await unpackSource(source, { folder, parts });
  mkdirSync(join(folder, 'bin'));
  for (const helper of helpers) {
    const program = join(folder, 'bin', basename(helper, '.c'));
    execFileSync(compiler, [
      '-O1',
      '-w',
      '-DHAVE_STRING_H',
      '-DHAVE_STDLIB_H',
      '-DHAVE_UNISTD_H',
      '-static',
      '-I',
      folder,
      '-o',
      program,
      join(folder, helper),
    ]);
  }
}
