import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, haveProgram, temporaryFolder } from '@tapline/testing';
import { directoryLayer } from '@tapline/runtimes';
import { storedCodeName } from '@tapline/userland';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { folderContent } from '../../../packages/cli/src/wasm/folder-content.ts';
import { startShellServer } from '../../../packages/cli/src/wasm/shell-server.ts';
import { buildPage } from '../../../tools/build-page.ts';
import { debianUnavailable } from '../../../tools/debian/debian-unavailable.ts';
import { unpackPackages } from '../../elf/unpack-packages.ts';
import { broadPackages, broadPrograms } from '../broad-programs.ts';
import { longPackages, longPrograms, packages, type Program, programs } from '../program-list.ts';
import { qemuSystemUnavailable, runInQemu } from '../qemu-system.ts';
import { keptCode, type KeptCode } from './kept-code.ts';
import { browsers, type OpenedPage } from './open-page.ts';
import { runInPage, type PageResult, type PageRun } from './run-in-page.ts';

/** `TAPLINE_USERLAND=long npx vitest run tests/userland/browsers`: all programs, some minutes. */
const long = process.env['TAPLINE_USERLAND'] === 'long';

const debian = await debianUnavailable('arm64');
const qemu = haveProgram('qemu-aarch64-static') ? undefined : 'qemu-aarch64-static';
const reason = qemu ?? debian ?? qemuSystemUnavailable();

const env = ['PATH=/usr/bin:/bin', 'HOME=/tmp', 'LC_ALL=C.UTF-8', 'TZ=UTC', 'TERM=xterm'];
// As the shell's page has them.
const limits = { memory: 512 * 1024 * 1024, machines: 8, hotAfter: 8000 };
const base: PageRun = {
  source: { kind: 'folder', url: 'folder/' },
  argv: [],
  env,
  folder: '/',
  limits: { ...limits, fuel: 20_000_000_000 },
  stdin: '',
};
// A shell with pipes, a program of streams, a script: what differs between browsers is underneath.
const few = programs.filter(({ argv: [program = ''] }, at) => at === 4 || program.endsWith('sed'));
const list: readonly Program[] = long ? [...programs, ...longPrograms, ...broadPrograms] : few;

const opened = new AsyncDisposableStack();
let root: string;
let url: string;

/** Asks again and again: one question that is not answered for minutes is given up by drivers. */
async function finished(page: OpenedPage, run: string): Promise<PageResult> {
  interface Outcome {
    readonly result?: PageResult;
    readonly failed?: string;
  }
  await page.evaluate(`void (globalThis.outcome = undefined, ${run}.then(
    (result) => (globalThis.outcome = { result }),
    (error) => (globalThis.outcome = { failed: String(error) })))`);
  const outcome = await eventually(
    'the program to end',
    async () => (await page.evaluate<Outcome | null>('globalThis.outcome ?? null')) ?? undefined,
    { withinMs: long ? 590_000 : 110_000 },
  );
  const { result, failed = 'nothing was said' } = outcome;
  if (result === undefined) throw new Error(failed);
  return result;
}

beforeAll(async () => {
  if (reason !== undefined) return;
  const folder = opened.use(await temporaryFolder());
  root = join(folder.path, 'root');
  mkdirSync(root);
  const names = long ? [...packages, ...longPackages, ...broadPackages] : packages;
  await unpackPackages(root, { architecture: 'arm64', names });
  for (const name of ['dev', 'proc', 'tmp']) mkdirSync(join(root, name), { recursive: true });
  const page = join(folder.path, 'page');
  await buildPage(page);
  const server = opened.use(
    await startShellServer({
      listen: { host: '127.0.0.1', port: 0 },
      token: 'token',
      page,
      settings: {
        title: 'a shell',
        source: { kind: 'folder', url: 'folder/' },
        argv: ['/bin/dash'],
        folder: '/',
        memory: limits.memory,
        code: { key: 'key' },
      },
      content: folderContent(directoryLayer(root)),
      onError: (message) => {
        throw new Error(message);
      },
    }),
  );
  url = server.url;
}, 300_000);
afterAll(() => opened.disposeAsync());

describe.skipIf(reason !== undefined).each(browsers)(
  `programs of Debian for arm64 in a page of $name (needs ${reason ?? '$missing'})`,
  { timeout: long ? 600_000 : 120_000 },
  ({ missing, open }) => {
    let page: OpenedPage;
    beforeAll(async () => {
      if (missing === undefined) page = await open(url);
    }, 120_000);
    afterAll(async () => {
      await page?.[Symbol.asyncDispose]();
    });
    test
      .skipIf(missing !== undefined)
      .each(list.map((program) => [program.argv.join(' ').slice(0, 90), program] as const))(
      '%s',
      async (_, { argv, stdin = '', comparable = (text) => text }) => {
        const theirs = runInQemu(root, { argv, env, stdin });
        const { unknown, ...ours } = await finished(page, runInPage({ ...base, argv, stdin }));
        expect({ ...ours, stdout: comparable(ours.stdout) }).toEqual({
          ...theirs,
          stdout: comparable(theirs.stdout),
        });
        expect(unknown).toEqual([]);
      },
    );

    test.skipIf(missing !== undefined)('a loop without end leaves the page alive', async () => {
      const fuel = 2_000_000;
      const spinning = runInPage({
        ...base,
        argv: ['/bin/dash', '-c', 'while :; do :; done'],
        limits: { ...limits, fuel },
      });
      await page.evaluate(`void (globalThis.spinning = ${spinning}.catch(String))`);
      expect(await page.evaluate<number>('6 * 7')).toBe(42);
      expect(await page.evaluate('globalThis.spinning')).toContain(`not ended after ${fuel}`);
    });

    test.skipIf(missing !== undefined)(
      'what was translated is there at the next visit, and is not taken when it was changed',
      async () => {
        // Another program than the page's own shell, which keeps its code, too.
        const digest = createHash('sha256').update(readFileSync(join(root, 'bin/sed')));
        const name = storedCodeName(digest.digest('hex'));
        const visit = async (sought = ''): Promise<KeptCode> => {
          const argv = ['/bin/sed', 's/found/kept/'];
          const run = {
            ...base,
            argv,
            stdin: 'found\n',
            limits: { ...base.limits, hotAfter: 500 },
            code: { key: 'key' },
          };
          const { stdout } = await page.evaluate<PageResult>(runInPage(run));
          expect(stdout).toBe('kept\n');
          return await page.evaluate<KeptCode>(keptCode({ name, sought }));
        };
        const first = await visit();
        expect(first.size).toBeGreaterThan(1000);
        // With what was kept, something more may come to it.
        const second = await visit(first.middle);
        expect(second.size).toBeGreaterThanOrEqual(first.size);
        expect(second.usedMs).toBeGreaterThan(first.usedMs);
        expect(second.found).toBe(true);
        const { middle } = await page.evaluate<KeptCode>(keptCode({ name, change: true }));
        expect((await visit(middle)).found).toBe(false);
      },
    );

    test.skipIf(missing !== undefined)('the terminal of the page is the shell’s', async () => {
      const screen = (): Promise<string> =>
        page.evaluate(`document.querySelector('.xterm-rows')?.textContent ?? ''`);
      await eventually('a prompt', async () => (await screen()).includes('#'), {
        withinMs: 60_000,
      });
      // As a keyboard does it: through the field that the terminal listens to.
      await page.evaluate(`(() => {
        const field = document.querySelector('.xterm-helper-textarea');
        field.focus();
        const data = new DataTransfer();
        data.setData('text/plain', 'echo $((6 * 7)) $(tty)\\r');
        field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data }));
      })()`);
      const answered = async (): Promise<boolean> => (await screen()).includes('42 /dev/console');
      expect(await eventually('an answer', answered, { withinMs: 60_000 })).toBe(true);
    });
  },
);
