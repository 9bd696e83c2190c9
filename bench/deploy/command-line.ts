import { join } from 'node:path';
import { quantile } from '../quantile.ts';
import { type BenchmarkRow, benchmarkRow } from '../result.ts';
import { timeCommand } from '../run-command.ts';
import type { ControlPlaneOnThisMachine } from './fleet-on-this-machine.ts';

const rounds = 15;

/** The command line as a person waits for it: whole processes, beside kubectl where there is one. */
export async function measureCommandLine(
  controlPlane: ControlPlaneOnThisMachine,
): Promise<readonly BenchmarkRow[]> {
  const tapline = join(import.meta.dirname, '../../tapline');
  const kubeconfig = controlPlane.environment['TAPLINE_KUBECONFIG'] ?? '';
  const environment = { ...process.env, ...controlPlane.environment };
  const ours = (words: readonly string[]): Promise<number> =>
    timeCommand(tapline, words, environment);
  const kubectl = (words: readonly string[]): Promise<number> =>
    timeCommand('kubectl', ['--kubeconfig', kubeconfig, ...words], environment);
  return [
    await row('tapline version', {
      goal: 150,
      ours: () => ours(['version']),
      peer: () => kubectl(['version', '--client']),
    }),
    await row('tapline get devices', {
      goal: 300,
      ours: () => ours(['get', 'devices']),
      peer: () => kubectl(['get', 'devices']),
    }),
  ];
}

async function row(
  command: string,
  measured: {
    readonly goal: number;
    readonly ours: () => Promise<number>;
    readonly peer: () => Promise<number>;
  },
): Promise<BenchmarkRow> {
  const times = { ours: [] as number[], peer: [] as number[] };
  let note: string | undefined;
  for (let round = 0; round < rounds; round += 1) {
    times.ours.push(await measured.ours());
    if (note !== undefined) continue;
    try {
      times.peer.push(await measured.peer());
    } catch {
      note = 'kubectl is not here';
    }
  }
  return benchmarkRow({
    metric: `${command}, wall, p50`,
    unit: 'ms',
    better: 'lower',
    ours: quantile(times.ours, 0.5),
    peers: { kubectl: times.peer.length === 0 ? undefined : quantile(times.peer, 0.5) },
    goal: measured.goal,
    goalOn: 'ours',
    ...(note === undefined ? {} : { note }),
  });
}
