import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BenchmarkRow, benchmarkRow } from '../result.ts';
import { quantile } from '../quantile.ts';
import { timeCommand } from '../run-command.ts';
import { type ControlPlaneOnThisMachine, startDeviceProcess } from './fleet-on-this-machine.ts';
import { Rollouts } from './rollouts.ts';

const rounds = 60;
const warmUp = 5;
/** podman takes ten times as long, and says the same after a few. */
const podmanEvery = 4;
const megabyte = 1024 * 1024;

/**
 * A warm delivery of jq to one device with runc, from the request to ready, beside `runc run` of the
 * very bundle that the device runs, and `podman run` of the same image, one after another in one loop.
 */
export async function measureWarmDelivery(
  controlPlane: ControlPlaneOnThisMachine,
  { folder, token }: { readonly folder: string; readonly token: string },
): Promise<readonly BenchmarkRow[]> {
  const data = join(folder, 'device');
  await using device = await startDeviceProcess({ name: 'warm', data, token }, controlPlane);
  await using rollouts = await Rollouts.create(controlPlane.client, {
    name: 'jq',
    package: { formula: 'jq' },
    selector: { matchLabels: { bench: 'yes' } },
    rollout: 1,
  });
  const [cold = Number.NaN] = await rollouts.first(1, 120_000);
  const bundle = copyBundle(data, join(folder, 'bundle'));
  const runc = (round: number): Promise<number> =>
    timeCommand('runc', [
      '--root',
      join(folder, 'runc'),
      'run',
      '--no-new-keyring',
      '--bundle',
      bundle,
      `bare-${round}`,
    ]);
  const podman = preparePodman(controlPlane, folder);

  const times = { ours: [] as number[], runc: [] as number[], podman: [] as number[] };
  for (let round = -warmUp; round < rounds; round += 1) {
    const [ours = Number.NaN] = await rollouts.again(1, 30_000);
    const bare = await runc(round);
    const engine = podman === undefined || round % podmanEvery !== 0 ? undefined : await podman();
    if (round < 0) continue;
    times.ours.push(ours);
    times.runc.push(bare);
    if (engine !== undefined) times.podman.push(engine);
  }
  const memory = residentBytes(device.pid) / megabyte;
  const shared = { unit: 'ms', better: 'lower', goalOn: 'ratio' } as const;
  const peers = (share: number): Readonly<Record<string, number | undefined>> => ({
    'runc run': quantile(times.runc, share),
  });
  const podmanRow = (share: number): BenchmarkRow => {
    const measured = times.podman.length === 0 ? undefined : quantile(times.podman, share);
    return benchmarkRow({
      ...shared,
      metric: `warm delivery against podman run, p${share * 100}`,
      ours: quantile(times.ours, share),
      peers: { 'podman run': measured },
      ...(measured === undefined ? { note: 'podman is missing or could not pull' } : {}),
    });
  };
  return [
    benchmarkRow({
      ...shared,
      metric: 'warm delivery, request → ready, p50',
      ours: quantile(times.ours, 0.5),
      peers: peers(0.5),
      goal: 1.5,
    }),
    benchmarkRow({
      ...shared,
      metric: 'warm delivery, request → ready, p99',
      ours: quantile(times.ours, 0.99),
      peers: peers(0.99),
      goal: 4,
    }),
    podmanRow(0.5),
    benchmarkRow({
      ...shared,
      metric: 'cold delivery, formula → ready, one',
      ours: cold,
      peers: {},
      note: 'bottles from a mirror on this machine',
    }),
    benchmarkRow({
      metric: 'agent at rest, resident',
      unit: 'MiB',
      better: 'lower',
      ours: memory,
      peers: {},
      goal: 80,
      goalOn: 'ours',
    }),
  ];
}

/** The bundle of the device's last run, with the root file system it names. */
function copyBundle(data: string, to: string): string {
  const bundles = join(data, 'runtime', 'bundles');
  const name = readdirSync(bundles).find((one) => existsSync(join(bundles, one, 'config.json')));
  if (name === undefined) throw new Error(`no bundle in ${bundles}`);
  mkdirSync(to, { recursive: true });
  cpSync(join(bundles, name, 'config.json'), join(to, 'config.json'));
  return to;
}

/** Builds the image and loads it into podman; undefined where podman cannot run here. */
function preparePodman(
  controlPlane: ControlPlaneOnThisMachine,
  folder: string,
): (() => Promise<number>) | undefined {
  const layout = join(folder, 'layout');
  const storage = ['--root', join(folder, 'podman'), '--runroot', join(folder, 'podman-run')];
  const main = join(import.meta.dirname, '../../packages/cli/src/main.ts');
  const build = spawnSync(
    process.execPath,
    [
      main,
      'brew2oci',
      'jq',
      '--platform',
      'linux/amd64',
      '--output',
      layout,
      '--cache',
      join(folder, 'brew2oci'),
    ],
    { env: { ...process.env, ...controlPlane.environment } },
  );
  const pull = spawnSync('podman', [...storage, 'pull', '--quiet', `oci:${layout}`], {
    encoding: 'utf8',
  });
  if (build.status !== 0 || pull.status !== 0) return undefined;
  const image = pull.stdout.trim();
  const words = [
    ...storage,
    '--runtime',
    'runc',
    'run',
    '--rm',
    '--network',
    'none',
    '--ulimit',
    'nofile=1024:1024',
    '--ulimit',
    'nproc=1024:1024',
    image,
    '--version',
  ];
  return () => timeCommand('podman', words);
}

function residentBytes(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}
