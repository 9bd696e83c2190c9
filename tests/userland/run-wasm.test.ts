import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@tapline/base';
import { createRegistryClient, startRegistry } from '@tapline/registry';
import { eventually, haveProgram, temporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { debianUnavailable } from '../../tools/debian/debian-unavailable.ts';
import { runTapline, taplineMain } from '../support/run-tapline.ts';
import { pushBusyboxImage } from './busybox-image.ts';

const debian = await debianUnavailable('arm64');

describe.skipIf(debian !== undefined)(
  `tapline run-wasm with an image of a registry (needs ${debian ?? 'nothing'})`,
  { timeout: 120_000 },
  () => {
    const opened = new AsyncDisposableStack();
    let image: string;

    beforeAll(async () => {
      const folder = opened.use(await temporaryFolder());
      const registry = opened.use(
        await startRegistry({
          directory: join(folder.path, 'registry'),
          authorize: () => 'allowed',
        }),
      );
      await using client = createRegistryClient({ baseUrl: registry.url, clock: systemClock });
      await pushBusyboxImage(client, folder.path);
      image = `oci://127.0.0.1:${registry.port}/tools/busybox:1`;
    }, 120_000);
    afterAll(() => opened.disposeAsync());

    test('runs what the image says, with layers of both compressions', async () => {
      expect(await runTapline(['run-wasm', image])).toEqual({
        code: 0,
        out: 'made of two layers\n',
        err: '',
      });
    });

    test('a folder that is an OCI image layout is an image, too', async () => {
      await using folder = await temporaryFolder();
      const layout = join(folder.path, 'busybox');
      expect(await runTapline(['registry', 'copy', image, `oci:${layout}`])).toMatchObject({
        code: 0,
      });
      expect(await runTapline(['run-wasm', layout])).toEqual({
        code: 0,
        out: 'made of two layers\n',
        err: '',
      });
    });

    test('pipes and exit codes are the program’s', async () => {
      const script = 'cat; echo "$FROM" >&2; exit 7';
      const stdin = 'a line\n'.repeat(20_000);
      expect(await runTapline(['run-wasm', image, '--', 'sh', '-c', script], { stdin })).toEqual({
        code: 7,
        out: stdin,
        err: 'image\n',
      });
    });

    test('what was translated is kept, and found by the next start', async () => {
      await using folder = await temporaryFolder();
      const cache = join(folder.path, 'code');
      // Long enough that some of it is worth translating.
      const script = 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done; echo $i';
      const words = ['run-wasm', image, '--code-cache', cache, '--', 'sh', '-c', script];
      const first = await runTapline(words);
      expect(first).toMatchObject({ code: 0, err: '' });
      const [name = '', ...others] = readdirSync(cache);
      expect([name, others]).toEqual([expect.stringMatching(/^a64-\d+-[0-9a-f]{64}-0$/), []]);
      let before = readFileSync(join(cache, name));
      // Each start finds what came before it, until there is little left to translate: of a long function
      // each one finds the next piece. What is not found would be there once more.
      let isFound = false;
      for (let start = 0; start < 8 && !isFound; start += 1) {
        expect(await runTapline(words)).toEqual(first);
        const after = readFileSync(join(cache, name));
        expect(after.length).toBeGreaterThanOrEqual(before.length);
        isFound = after.length - before.length < before.length / 20;
        before = after;
      }
      expect(isFound).toBe(true);
      // What the disk has changed is not run.
      before.fill(0, before.length - 4000);
      writeFileSync(join(cache, name), before);
      expect(await runTapline(words)).toEqual(first);
    });

    test('a reader that has enough ends it, as a pipe does', async () => {
      const command = [process.execPath, taplineMain, 'run-wasm', image, '--', 'yes'];
      const child = spawn('sh', ['-c', `"$@" | head -n 2`, 'sh', ...command]);
      let out = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
      await once(child, 'close');
      expect(out).toBe('y\ny\n');
    });

    test('a program that there is not, and an image that there is not, are said', async () => {
      const missing = await runTapline(['run-wasm', image, '--', 'nothing']);
      expect(missing.code).not.toBe(0);
      expect(missing.err).toContain('there is no nothing');
      const unknown = await runTapline(['run-wasm', image.replace(':1', ':2'), '--', 'sh']);
      expect(unknown.err).toContain('manifest_unknown');
    });

    test('Ctrl-C without a terminal ends it with 130', async () => {
      const child = spawn(process.execPath, [
        taplineMain,
        'run-wasm',
        image,
        '--',
        'sh',
        '-c',
        'echo up; sleep 100',
      ]);
      await once(child.stdout, 'data');
      child.kill('SIGINT');
      expect(await once(child, 'close')).toEqual([130, null]);
    });

    test.skipIf(!haveProgram('script'))('Ctrl-C at a terminal is the program’s', async () => {
      const guest = 'trap "echo caught; exit 9" INT; echo up; while :; do sleep 1; done';
      const words = [process.execPath, taplineMain, 'run-wasm', image, '--', 'sh', '-c', guest];
      const line = words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ');
      const child = spawn('script', ['--quiet', '--return', '--command', line, '/dev/null']);
      let out = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
      await eventually('it is up', () => out.includes('up'), { withinMs: 60_000 });
      child.stdin.write('\u0003');
      expect(await once(child, 'close')).toEqual([9, null]);
      expect(out).toContain('caught');
    });
  },
);
