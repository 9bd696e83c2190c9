import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { browserProgram, haveProgram } from '@tapline/testing';
import { channelsOf, forms, startPlayers, timeOfMoves } from '../../tests/channels/fail-over.ts';
import { startChannelSystem } from '../../tests/channels/start-channel-system.ts';
import { startTimedOrigin } from '../../tests/channels/timed-origin.ts';
import { setup as buildProgram } from '../../tests/support/build-program.ts';
import { benchmarkRow, type BenchmarkRow } from '../result.ts';

/** How long players play; their edge dies in the middle. */
const playSeconds = 60;
const script = join(import.meta.dirname, '../../node_modules/hls.js/dist/hls.min.js');

/**
 * What the death of a node costs: hls.js in Chromium plays a film, a live and a low-latency stream by
 * the edge of a node that is killed, and all three channels have to be ready elsewhere.
 */
export async function measureFailover(): Promise<readonly BenchmarkRow[]> {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || !haveProgram('ffmpeg') || browserProgram() === undefined) {
    const note = 'needs root, ffmpeg and chromium-headless-shell';
    const none = row('a killed node: all channels ready elsewhere', {
      ours: Number.NaN,
      goal: 5000,
    });
    return [{ ...none, holds: false, note }];
  }
  await buildProgram();
  await using system = await startChannelSystem(['e1', 'e2']);
  await mkdir(join(system.folder, 'origin'));
  await using origin = await startTimedOrigin({
    folder: join(system.folder, 'origin'),
    seconds: playSeconds + 60,
  });
  await system.apply(channelsOf(origin.url));
  const withinMs = (playSeconds + 60) * 1000;
  await using players = await startPlayers(system, { node: 'e1', script, withinMs });
  await system.addNode('e3');
  await players.after(playSeconds * 0.4);
  const [victim] = system.nodes;
  if (victim === undefined) throw new Error('no node');
  const movedMs = await timeOfMoves(system, { victim, end: () => victim.die() });
  const reports = await players.after(playSeconds);
  return [
    row('a killed node: all channels ready elsewhere', {
      ours: Math.round(Math.max(...movedMs)),
      goal: 5000,
    }),
    ...reports.map(({ longestStallMs: ours }, at) =>
      row(`a killed node: longest stall in a minute, ${forms[at]}`, { ours, goal: 2000 }),
    ),
  ];
}

/** In milliseconds, without a peer. */
function row(
  metric: string,
  { ours, goal }: { readonly ours: number; readonly goal: number },
): BenchmarkRow {
  const kind = { unit: 'ms', better: 'lower', peers: {}, goalOn: 'ours' } as const;
  return benchmarkRow({ metric, ...kind, ours, goal });
}
