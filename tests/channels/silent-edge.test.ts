import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type PlayerReport, startPlayerPage } from '@tapline/cli';
import { entryFolder, entryPlaylist } from '@tapline/edge-cache';
import {
  browserProgram,
  eventually,
  haveProgram,
  startBrowser,
  temporaryFolder,
} from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { openSilentDoor } from './silent-door.ts';
import { freePort, startEdge } from './start-edge.ts';
import { startTimedOrigin } from './timed-origin.ts';

// A browser for a quarter of a minute: by command, and not with every change.
const needs = [
  ...(process.env['TAPLINE_LONG_TESTS'] === undefined ? ['TAPLINE_LONG_TESTS=1'] : []),
  ...(haveProgram('ffmpeg') ? [] : ['ffmpeg']),
  ...(browserProgram() === undefined ? ['chromium-headless-shell'] : []),
];
const unavailable = needs.length === 0 ? undefined : `(needs ${needs.join(', ')})`;
const script = join(import.meta.dirname, '../../node_modules/hls.js/dist/hls.min.js');
const withinMs = 40_000;

describe.skipIf(unavailable !== undefined)(`an edge that falls silent ${unavailable ?? ''}`, () => {
  // More than once, as it depends on what is just under way.
  test.each([1, 2, 3])(
    'costs a player of a low-latency stream two seconds at the most, time %d',
    async () => {
      await using folder = await temporaryFolder();
      await mkdir(join(folder.path, 'origin'));
      await using origin = await startTimedOrigin({
        folder: join(folder.path, 'origin'),
        seconds: 60,
      });
      const edges = { e1: await freePort(), e2: await freePort() };
      const behind = await freePort();
      await using stack = new AsyncDisposableStack();
      stack.use(await startEdge(origin.url, { name: 'e1', edges, listenAt: behind }));
      stack.use(await startEdge(origin.url, { name: 'e2', edges }));
      const door = stack.use(await openSilentDoor(edges.e1, behind));
      const url = `http://127.0.0.1:${edges.e1}/ll/${entryFolder}${entryPlaylist}`;
      const page = stack.use(await startPlayerPage(script));
      const browser = stack.use(
        await startBrowser({ args: ['--autoplay-policy=no-user-gesture-required'] }),
      );
      await browser.open(page.pageOf(url));
      const plays = (seconds: number, pathway: string): Promise<PlayerReport> =>
        eventually(
          `it has played ${seconds} s by ${pathway}`,
          () => {
            const report = page.report(url);
            if (report !== undefined && report.fatal.length > 0) {
              throw new Error(report.fatal.join('; '));
            }
            const isSo = report !== undefined && report.seconds >= seconds;
            return isSo && report.pathway === pathway ? report : undefined;
          },
          { withinMs },
        );
      const begun = await plays(0.1, 'e1');
      const before = await plays(begun.seconds + 4, 'e1');
      door.fallSilent();
      const after = await plays(before.seconds + 5, 'e2');
      console.log(
        `longest stall ${after.longestStallMs} ms, before ${before.longestStallMs} ms; ${after.latency.toFixed(1)} s behind; ${after.errors.join(', ')}`,
      );
      expect(after.longestStallMs).toBeLessThanOrEqual(2000);
    },
    60_000,
  );
});
