import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { browserProgram, eventually, haveProgram } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { channelsOf, forms, startPlayers, timeOfMoves } from './fail-over.ts';
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

describe.skipIf(unavailable !== undefined)(`channels on nodes ${unavailable ?? ''}`, () => {
  test('players go on while an edge dies, and while the others are replaced one by one', async () => {
    await using system = await startChannelSystem(['e1', 'e2']);
    await mkdir(join(system.folder, 'origin'));
    await using origin = await startTimedOrigin({
      folder: join(system.folder, 'origin'),
      seconds: playSeconds + 90,
    });
    await system.apply(channelsOf(origin.url));
    await using players = await startPlayers(system, {
      node: 'e1',
      script,
      withinMs: (playSeconds + 60) * 1000,
    });
    await system.addNode('e3');
    const before = await players.after(playSeconds * 0.4);
    expect(before.map(({ pathway }) => pathway)).toEqual(['e1', 'e1', 'e1']);
    const [victim] = system.nodes;
    if (victim === undefined) throw new Error('no node');
    const movedMs = await timeOfMoves(system, { victim, end: () => victim.die() });
    const after = await players.after(playSeconds);
    console.log(
      `elsewhere after ${movedMs.map((ms) => (ms / 1000).toFixed(1)).join(', ')} s; longest stall ${after.map(({ longestStallMs }) => longestStallMs).join(', ')} ms of ${forms.join(', ')}; on ${after.map(({ pathway }) => pathway).join(', ')}; errors ${after.map(({ errors }) => errors.join(' & ')).join(' | ')}`,
    );
    for (const { pathway, fatal, width, longestStallMs } of after) {
      expect(pathway).not.toBe(victim.name);
      expect(fatal).toEqual([]);
      expect(width).toBe(160);
      expect(longestStallMs).toBeLessThanOrEqual(2000);
    }
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

    // One after the other is taken away and comes back, as for another version of it.
    for (const node of ['e2', 'e3']) {
      const drained = await system.tapline(['drain', node, '--timeout', '60s']);
      expect(drained.err + drained.out).toContain(`node ${node} is drained`);
      await system.tapline(['drain', node, '--undo']);
    }
    const seconds = Math.max(...(await players.after(playSeconds)).map((one) => one.seconds));
    const last = await players.after(seconds + 2);
    console.log(
      `after drains: on ${last.map(({ pathway }) => pathway).join(', ')}; longest stall ${last.map(({ longestStallMs }) => longestStallMs).join(', ')} ms`,
    );
    // A request that failed would be an error of hls.js, also one that it went on from.
    expect(last.map(({ errors }) => errors)).toEqual(after.map(({ errors }) => errors));

    // What another player reads: each rendition, through the edge.
    const vod = await system.tapline(['channel', 'url', 'vod', '--all']);
    for (const url of vod.out.trim().split('\n')) {
      const { stdout } = await run('ffprobe', ['-v', 'error', '-show_streams', '-of', 'csv', url]);
      expect(stdout).toMatch(/h264/);
      expect(stdout).toMatch(/aac/);
    }
    expect(vod.out.trim().split('\n')).toHaveLength(2);
  }, 240_000);

  test('a node that falls silent is missed as soon as one whose connections end', async () => {
    await using system = await startChannelSystem(['e1', 'e2', 'e3']);
    await mkdir(join(system.folder, 'origin'));
    await using origin = await startTimedOrigin({
      folder: join(system.folder, 'origin'),
      seconds: 90,
    });
    await system.apply(channelsOf(origin.url));
    const edgesOf = async (form: string): Promise<readonly string[]> => {
      const { status } = await system.until(form, `${form} is ready`, (one) => {
        return one.status?.step === 'Ready' && one.status.counts?.ready === 2;
      });
      return (status?.edges ?? []).map(({ node }) => node);
    };
    const nodes = new Set((await Promise.all(forms.map(edgesOf))).flat());
    const victim = system.nodes.find(({ name }) => nodes.has(name));
    if (victim === undefined) throw new Error('no node serves');
    const movedMs = await timeOfMoves(system, {
      victim,
      end: () => Promise.resolve(victim.freeze(true)),
    });
    victim.freeze(false);
    console.log(`elsewhere after ${movedMs.map((ms) => (ms / 1000).toFixed(1)).join(', ')} s`);
    for (const ms of movedMs) expect(ms).toBeLessThanOrEqual(5000);
    // It has gone on, and hears now that there is nothing for it to serve.
    await eventually('it serves nothing', async () => (await victim.answers('/ll/')) === 404, {
      withinMs: 30_000,
    });
  }, 240_000);
});
