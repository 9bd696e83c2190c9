import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { haveProgram, temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { qemuSystemUnavailable, runInQemu } from './qemu-system.ts';
import { runInUserland } from './run-in-userland.ts';

const source = fileURLToPath(new URL('calls.c', import.meta.url));
const compiler = 'aarch64-linux-gnu-gcc';
const missing = [compiler, 'qemu-aarch64-static', 'unshare'].find((name) => !haveProgram(name));
const reason = missing ?? qemuSystemUnavailable();

/** Cases of calls.c. */
const cases: readonly string[] = [
  'guard',
  'registers',
  'stack',
  'interrupted',
  'children',
  'shared',
  'threads',
  'waiting',
  'sockets',
  'locks',
  'terminals',
  'limits',
];

describe.skipIf(reason !== undefined)(
  `system calls as under qemu (needs ${reason ?? 'nothing'})`,
  () => {
    let folder: TemporaryFolder;

    beforeAll(async () => {
      folder = await temporaryFolder();
      for (const name of ['dev', 'proc', 'tmp', 'usr/bin']) {
        mkdirSync(join(folder.path, name), { recursive: true });
      }
      const program = join(folder.path, 'calls');
      execFileSync(compiler, ['-O1', '-w', '-static', '-pthread', '-o', program, source]);
    }, 60_000);
    afterAll(async () => {
      await folder[Symbol.asyncDispose]();
    });

    test.each(cases)('%s', { timeout: 60_000 }, async (name) => {
      const command = { argv: ['/calls', name], env: [], stdin: '' };
      const { unknown, ...ours } = await runInUserland(folder.path, command);
      expect(ours).toEqual(runInQemu(folder.path, command));
      expect(unknown).toEqual([]);
    });
  },
);
