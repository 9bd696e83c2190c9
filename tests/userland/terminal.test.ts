import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AsyncQueue, seededRng, systemClock } from '@tapline/base';
import { directoryLayer } from '@tapline/runtimes';
import { temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { type ProgramResult, runProgram } from '@tapline/userland';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { debianUnavailable } from '../../tools/debian/debian-unavailable.ts';
import { unpackPackages } from '../elf/unpack-packages.ts';

const reason = await debianUnavailable('arm64');

describe.skipIf(reason !== undefined)(
  `a shell on a terminal (needs ${reason ?? 'nothing'})`,
  () => {
    let folder: TemporaryFolder;
    let root: string;

    beforeAll(async () => {
      folder = await temporaryFolder();
      root = join(folder.path, 'root');
      mkdirSync(root);
      await unpackPackages(root, { architecture: 'arm64', names: ['busybox-static'] });
    }, 120_000);
    afterAll(async () => {
      await folder[Symbol.asyncDispose]();
    });

    /** Types the next text when what it waits for is on the screen. */
    async function talk(steps: readonly (readonly [waitFor: string, type: string])[]): Promise<{
      readonly screen: string;
      readonly result: ProgramResult;
    }> {
      const keys = new AsyncQueue<Uint8Array>();
      let screen = '';
      let seen = 0;
      let next = 0;
      const look = (): void => {
        const step = steps[next];
        const at = step === undefined ? -1 : screen.indexOf(step[0], seen);
        if (step === undefined || at < 0) return;
        seen = at + step[0].length;
        next++;
        keys.push(new TextEncoder().encode(step[1]));
        look();
      };
      const result = await runProgram({
        files: directoryLayer(root),
        path: '/bin/busybox',
        argv: ['sh'],
        env: ['PATH=/bin', 'PS1=> ', 'TERM=dumb', 'HOME=/'],
        folder: '/',
        terminal: {
          size: { rows: 24, columns: 80 },
          input: keys,
          output: (bytes) => {
            screen += new TextDecoder().decode(bytes);
            look();
          },
        },
        clock: systemClock,
        rng: seededRng(1),
        memoryLimit: 256 * 1024 * 1024,
        hotAfter: 1000,
        fuel: 20_000_000_000,
      });
      return { screen, result };
    }

    test('lines, Ctrl-C, Ctrl-Z, jobs and the exit code', { timeout: 120_000 }, async () => {
      // What is typed before a program has begun would be the shell's: programs say that they have.
      const { screen, result } = await talk([
        ['> ', 'busybox stty size\r'],
        ['24 80', 'busybox sh -c "echo go; sleep 100"\r'],
        ['go\r\n', '\u0003'],
        ['> ', 'echo code $?\r'],
        ['code 130', 'busybox sh -c "echo go; sleep 200"\r'],
        ['go\r\n', '\u001a'],
        ['Stopped', 'jobs\r'],
        ['Stopped', 'kill %1; fg\r'],
        ['> ', 'busybox cat\r'],
        ['cat\r\n', 'typed\r'],
        ['typed\r\ntyped', '\u0004'],
        ['> ', 'exit 7\r'],
      ]);
      expect(result.exitCode, screen).toBe(7);
      expect(result.unknownSystemCalls.size).toBe(0);
    });
  },
);
