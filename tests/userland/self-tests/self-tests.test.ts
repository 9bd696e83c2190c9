import { existsSync } from 'node:fs';
import { haveProgram, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { debianUnavailable } from '../../../tools/debian/debian-unavailable.ts';
import { qemuSystemUnavailable } from '../qemu-system.ts';
import { crossCompiler, prepareSelfTest } from './prepare-self-test.ts';
import { selfTestRunner } from './run-self-test.ts';
import { selfTests } from './self-test-list.ts';

/** `TAPLINE_USERLAND=long npx vitest run tests/userland/self-tests`: all of them, many minutes. */
const long = process.env['TAPLINE_USERLAND'] === 'long';

const downloader = '/usr/lib/apt/apt-helper';
const missing = [crossCompiler, 'qemu-aarch64-static'].find((program) => !haveProgram(program));
const reason =
  missing ??
  (existsSync(downloader) ? undefined : downloader) ??
  (await debianUnavailable('arm64')) ??
  qemuSystemUnavailable();

const chosen = selfTests.filter(({ sample }) => long || sample.length > 0);

describe.skipIf(reason !== undefined)(
  `the tests of programs' authors as under qemu (needs ${reason ?? 'nothing'})`,
  () => {
    test.each(chosen.map((each) => [each.name, each] as const))(
      'those of %s',
      { timeout: long ? 3_600_000 : 300_000 },
      async (_, selfTest) => {
        await using folder = await temporaryFolder();
        const all = await prepareSelfTest(folder.path, selfTest);
        const { sample, passes, leftOut = {} } = selfTest;
        expect(all).toEqual(expect.arrayContaining([...sample, ...Object.keys(leftOut)]));
        const tests = long ? all.filter((name) => leftOut[name] === undefined) : sample;
        const runner = selfTestRunner(folder.path, {
          selfTest,
          timeoutMs: long ? 600_000 : 100_000,
        });
        let passed = 0;
        for (const name of tests) {
          const outcome = await runner.run(name).catch((error: unknown) => String(error));
          const { ours, theirs, unknown } =
            typeof outcome === 'string' ? { ours: outcome, theirs: '', unknown: [] } : outcome;
          expect.soft({ name, says: ours, unknown }).toEqual({ name, says: theirs, unknown: [] });
          if (passes.test(ours)) passed++;
        }
        // What fails under qemu, too, is no more than some of them.
        expect(passed).toBeGreaterThan(tests.length / 2);
      },
    );
  },
);
