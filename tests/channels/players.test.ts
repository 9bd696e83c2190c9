import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '@tapline/base';
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
import { forms, freePort, startEdge } from './start-edge.ts';
import { startTimedOrigin } from './timed-origin.ts';

/** How long players play; `TAPLINE_PLAY_SECONDS=60` has them play for longer. */
const playSeconds = Number(process.env['TAPLINE_PLAY_SECONDS'] ?? 6);
const needs = [
  ...(haveProgram('ffmpeg') ? [] : ['ffmpeg']),
  ...(browserProgram() === undefined ? ['chromium-headless-shell'] : []),
];
const unavailable = needs.length === 0 ? undefined : `(needs ${needs.join(', ')})`;
const script = join(import.meta.dirname, '../../node_modules/hls.js/dist/hls.min.js');
const run = promisify(execFile);
describe.skipIf(unavailable !== undefined)(`players ${unavailable ?? ''}`, () => {
  test('hls.js goes on at another edge when its own dies; FFmpeg reads every rendition', async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'origin'));
    await using origin = await startTimedOrigin({
      folder: join(folder.path, 'origin'),
      // Live streams have ten seconds behind them; a busy machine takes its time.
      seconds: playSeconds + 40,
    });
    const edges = { e1: await freePort(), e2: await freePort() };
    await using stack = new AsyncDisposableStack();
    const first = await startEdge(origin.url, { name: 'e1', edges });
    let alive = true;
    stack.defer(async () => {
      if (alive) await first[Symbol.asyncDispose]();
    });
    stack.use(await startEdge(origin.url, { name: 'e2', edges }));
    const urlOf = (form: string): string => `${first.url}/${form}/${entryFolder}${entryPlaylist}`;

    for (const form of forms) {
      const given = ['-v', 'error', '-show_streams', '-of', 'csv', urlOf(form)];
      const { stdout } = await run('ffprobe', given, { timeout: 30_000 });
      // Each of two edges is a program of one rendition to it.
      expect(stdout.match(/h264/g)?.length).toBeGreaterThanOrEqual(2);
      expect(stdout).toContain('aac');
    }

    const page = stack.use(await startPlayerPage(script));
    const browser = stack.use(
      await startBrowser({ args: ['--autoplay-policy=no-user-gesture-required'] }),
    );
    const plays = (form: string, seconds: number, pathway: string): Promise<PlayerReport> =>
      eventually(
        `${form} has played ${seconds} s by ${pathway}`,
        () => {
          const report = page.report(urlOf(form));
          if (report !== undefined && report.fatal.length > 0) {
            throw new Error(`${form}: ${report.fatal.join('; ')}`);
          }
          const isSo = report !== undefined && report.seconds >= seconds;
          return isSo && report.pathway === pathway ? report : undefined;
        },
        { withinMs: (playSeconds + 40) * 1000 },
      );
    const begun = await Promise.all(
      forms.map(async (form) => {
        await browser.open(page.pageOf(urlOf(form)));
        const { seconds } = await plays(form, 0.1, 'e1');
        return [form, seconds] as const;
      }),
    );
    const goOn = (share: number, pathway: string): Promise<readonly PlayerReport[]> =>
      Promise.all(
        begun.map(([form, seconds]) => plays(form, seconds + playSeconds * share, pathway)),
      );
    await goOn(0.3, 'e1');
    // The worst moment for hls.js: all that it has ends where a segment does.
    await origin.untilWholeSegment();
    await systemClock.sleep(150);
    alive = false;
    await first[Symbol.asyncDispose]();
    // A film that is in the browser as a whole needs no edge any more.
    const [vod, ...live] = begun;
    const after = await Promise.all([
      eventually(
        'the film goes on',
        () => {
          const report = page.report(urlOf('vod'));
          const until = (vod?.[1] ?? 0) + playSeconds;
          return report !== undefined && report.seconds >= until ? report : undefined;
        },
        { withinMs: (playSeconds + 40) * 1000 },
      ),
      ...live.map(([form, seconds]) => plays(form, seconds + playSeconds, 'e2')),
    ]);
    for (const [at, { fatal, width, longestStallMs }] of after.entries()) {
      expect(fatal).toEqual([]);
      expect(width).toBe(160);
      // A busy machine may stand still for a moment with all that it needs at hand.
      expect(longestStallMs, forms[at]).toBeLessThanOrEqual(playSeconds >= 60 ? 2000 : 10_000);
    }
    console.log(
      after
        .map(
          ({ longestStallMs, stalls, latency, errors }, at) =>
            `${forms[at]}: longest stall ${longestStallMs} ms, ${stalls} stalls, ${latency.toFixed(1)} s behind; ${errors.join(', ')}`,
        )
        .join('\n'),
    );
    // Both edges' players are one at the origin: blocking reloads are held at the edge.
    const blocking = [...origin.asked].filter(([target]) => target.includes('_HLS_msn'));
    expect(blocking.length).toBeGreaterThan(3);
  }, 240_000);
});
