import { join } from 'node:path';
import { startProcess } from '../../packages/testing/src/index.ts';
import { quantile } from '../quantile.ts';
import { type BenchmarkRow, benchmarkRow } from '../result.ts';
import type { ControlPlaneOnThisMachine } from './fleet-on-this-machine.ts';
import { Rollouts } from './rollouts.ts';

const rounds = 9;

/** A fleet of simulated devices in another process: every one of them ready, and how fast. */
export async function measureSimulatedFleet(
  controlPlane: ControlPlaneOnThisMachine,
  { devices, token }: { readonly devices: number; readonly token: string },
): Promise<readonly BenchmarkRow[]> {
  const script = join(import.meta.dirname, 'simulated-fleet.ts');
  await using cleanUp = new AsyncDisposableStack();
  cleanUp.use(
    await startProcess(process.execPath, [script, controlPlane.url, token, String(devices)], {
      readyLine: /fleet of \d+ is connected/,
      readyWithinMs: 120_000,
    }),
  );
  await using rollouts = await Rollouts.create(controlPlane.client, {
    name: 'fleet',
    package: { formula: 'jq' },
    selector: { matchLabels: { simulated: 'yes' } },
    rollout: 1,
  });
  const times = [await rollouts.first(devices, 60_000)];
  for (let round = 1; round < rounds; round += 1) times.push(await rollouts.again(devices, 60_000));
  const slowest = times.map((round) => quantile(round, 0.99));
  const note = `${times.flat().length} of ${devices * rounds} ready in ${rounds} rollouts`;
  return [
    benchmarkRow({
      metric: `${devices} devices, request → ready, p99, median of ${rounds} rollouts`,
      unit: 'ms',
      better: 'lower',
      ours: quantile(slowest, 0.5),
      peers: {},
      goal: 1000,
      goalOn: 'ours',
      note,
    }),
    benchmarkRow({
      metric: `${devices} devices, request → last ready, worst of ${rounds} rollouts`,
      unit: 'ms',
      better: 'lower',
      ours: Math.max(...times.flat()),
      peers: {},
    }),
  ];
}
