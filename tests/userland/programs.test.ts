import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { haveProgram, temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { debianUnavailable } from '../../tools/debian/debian-unavailable.ts';
import { unpackPackages } from '../elf/unpack-packages.ts';
import { broadPackages, broadPrograms } from './broad-programs.ts';
import { type Program, longPackages, longPrograms, packages, programs } from './program-list.ts';
import { qemuSystemUnavailable, runInQemu } from './qemu-system.ts';
import { runInUserland } from './run-in-userland.ts';

/** `TAPLINE_USERLAND=long npx vitest run tests/userland/programs.test.ts`: all programs, some minutes. */
const long = process.env['TAPLINE_USERLAND'] === 'long';

const debian = await debianUnavailable('arm64');
const qemu = haveProgram('qemu-aarch64-static') ? undefined : 'qemu-aarch64-static';
const reason = qemu ?? debian ?? qemuSystemUnavailable();

const env = ['PATH=/usr/bin:/bin', 'HOME=/tmp', 'LC_ALL=C.UTF-8', 'TZ=UTC', 'TERM=xterm'];

describe.skipIf(reason !== undefined)(
  `programs of Debian for arm64 as under qemu (needs ${reason ?? 'nothing'})`,
  () => {
    let folder: TemporaryFolder;
    let root: string;

    beforeAll(async () => {
      folder = await temporaryFolder();
      root = join(folder.path, 'root');
      mkdirSync(root);
      const names = long ? [...packages, ...longPackages, ...broadPackages] : packages;
      await unpackPackages(root, { architecture: 'arm64', names });
      for (const name of ['dev', 'proc', 'tmp']) mkdirSync(join(root, name), { recursive: true });
    }, 300_000);
    afterAll(async () => {
      await folder[Symbol.asyncDispose]();
    });

    const list: readonly Program[] = long
      ? [...programs, ...longPrograms, ...broadPrograms]
      : programs;
    test.each(list.map((program) => [program.argv.join(' ').slice(0, 90), program] as const))(
      '%s',
      { timeout: long ? 600_000 : 120_000 },
      async (_, { argv, stdin = '', comparable = (text) => text }) => {
        const command = { argv, env, stdin };
        const theirs = runInQemu(root, command);
        const { unknown, ...ours } = await runInUserland(root, command);
        expect({ ...ours, stdout: comparable(ours.stdout) }).toEqual({
          ...theirs,
          stdout: comparable(theirs.stdout),
        });
        expect(unknown).toEqual([]);
      },
    );
  },
);
