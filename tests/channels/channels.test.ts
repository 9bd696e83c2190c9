import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '@tapline/base';
import { type PlayerReport, startPlayerPage } from '@tapline/cli';
import { browserProgram, eventually, haveProgram, startBrowser } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { startChannelSystem } from './start-channel-system.ts';
import { startTimedOrigin } from './timed-origin.ts';

// A minute, and as much of a core: by command, and not with every change.
const unasked = process.env['TAPLINE_LONG_TESTS'] === undefined;
/** How long players play; their edge dies in the middle. */
const playSeconds = 60;
const needs = [
  ...(unasked ? ['TAPLINE_LONG_TESTS=1'] : []),
  ...(process.platform === 'linux' ? [] : ['Linux']),
  ...(process.getuid?.() === 0 ? [] : ['root']),
  ...(haveProgram('ffmpeg') ? [] : ['ffmpeg']),
  ...(browserProgram() === undefined ? ['chromium-headless-shell'] : []),
];
const unavailable = needs.length === 0 ? undefined : `(needs ${needs.join(', ')})`;
const script = join(import.meta.dirname, '../../node_modules/hls.js/dist/hls.min.js');
const run = promisify(execFile);
const forms = ['vod', 'live', 'll'] as const;

describe.skipIf(unavailable !== undefined)(`channels on nodes ${unavailable ?? ''}`, () => {
  test('players go on while an edge dies, and the channel is served elsewhere', async () => {
    await using system = await startChannelSystem(['e1', 'e2']);
    await mkdir(join(system.folder, 'origin'));
    await using origin = await startTimedOrigin({
      folder: join(system.folder, 'origin'),
      seconds: playSeconds + 60,
    });
    await system.apply(
      forms
        .map(
          (form) => `
apiVersion: tapline.dev/v1alpha1
kind: Channel
metadata: { name: ${form} }
spec:
  origin: { url: ${origin.url}/${form}/main.m3u8 }
  edges: { replicas: 2, moveAfterSeconds: 1, leaveSeconds: 1 }
  cache: { playlistSeconds: ${form === 'll' ? 0.2 : 0.5} }
  objectives: { hitRatio: 0.7 }
`,
        )
        .join('---\n'),
    );
    const urls = new Map<string, string>();
    for (const form of forms) {
      const { status } = await system.until(
        form,
        `${form} is ready`,
        (one) => one.status?.step === 'Ready',
      );
      // All of them on the one that dies.
      const all = (status?.edges ?? []).find(({ node }) => node === 'e1');
      urls.set(form, `${all?.url}/${form}/~tapline/index.m3u8`);
      expect(status?.validation?.ratio).toBeGreaterThanOrEqual(0.7);
    }

    await using page = await startPlayerPage(script);
    await using browser = await startBrowser({
      args: ['--autoplay-policy=no-user-gesture-required'],
    });
    const reportOf = (form: string): PlayerReport | undefined => page.report(urls.get(form) ?? '');
    const plays = (form: string, seconds: number): Promise<PlayerReport> =>
      eventually(
        `${form} has played ${seconds} s`,
        () => {
          const report = reportOf(form);
          if (report !== undefined && report.fatal.length > 0) {
            throw new Error(`${form}: ${report.fatal.join('; ')}`);
          }
          return report !== undefined && report.seconds >= seconds ? report : undefined;
        },
        { withinMs: (playSeconds + 60) * 1000 },
      );
    const begun = new Map<string, number>();
    for (const form of forms) {
      await browser.open(page.pageOf(urls.get(form) ?? ''));
      begun.set(form, (await plays(form, 0.1)).seconds);
    }
    const goOn = (share: number): Promise<readonly PlayerReport[]> =>
      Promise.all(forms.map((form) => plays(form, (begun.get(form) ?? 0) + playSeconds * share)));
    await system.addNode('e3');
    const before = await goOn(0.4);
    const chosen = before.map(({ pathway }) => pathway);
    expect(chosen).toEqual(['e1', 'e1', 'e1']);
    const [victim] = system.nodes;
    if (victim === undefined) throw new Error('no node');
    const killedMs = systemClock.monotonic();
    await victim.die();
    const moved = forms.map(async (form) => {
      await system.until(form, `${form} is whole again`, ({ status }) => {
        const nodes = (status?.edges ?? []).filter(({ state }) => state === 'Ready');
        return nodes.length === 2 && nodes.every(({ node }) => node !== victim.name);
      });
      return systemClock.monotonic() - killedMs;
    });
    const movedMs = await Promise.all(moved);
    const after = await goOn(1);
    const stalls = after.map(({ longestStallMs }) => longestStallMs);
    console.log(
      `elsewhere after ${movedMs.map((ms) => (ms / 1000).toFixed(1)).join(', ')} s; longest stall ${stalls.join(', ')} ms of ${forms.join(', ')}; on ${chosen.join(', ')}, then on ${after.map(({ pathway }) => pathway).join(', ')}; errors ${after.map(({ errors }) => errors.join(' & ')).join(' | ')}`,
    );
    for (const { pathway, fatal, width } of after) {
      expect(pathway).not.toBe(victim.name);
      expect(fatal).toEqual([]);
      expect(width).toBe(160);
    }
    for (const ms of stalls) expect(ms).toBeLessThanOrEqual(2000);
    for (const ms of movedMs) expect(ms).toBeLessThanOrEqual(5000);

    // The one that comes back stands by, and serves nothing of what it had.
    await victim.agent.start();
    await eventually('it stands by', async () => (await victim.answers('/')) === 404, {
      withinMs: 30_000,
    });
    const edges = await system.tapline(['get', 'channeledges', '-o', 'name']);
    expect(edges.out).not.toContain(`${victim.name}.`);
    for (const form of forms) {
      expect(await victim.answers(`/${form}/~tapline/index.m3u8`)).toBe(404);
    }

    // What another player reads: each rendition, through the edge.
    const vod = await system.tapline(['channel', 'url', 'vod', '--all']);
    for (const url of vod.out.trim().split('\n')) {
      const { stdout } = await run('ffprobe', ['-v', 'error', '-show_streams', '-of', 'csv', url]);
      expect(stdout).toMatch(/h264/);
      expect(stdout).toMatch(/aac/);
    }
    expect(vod.out.trim().split('\n')).toHaveLength(2);
  }, 240_000);
});
