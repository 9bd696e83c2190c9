import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../packages/base/src/index.ts';
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
const restMs = 8000;

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
  const bundle = await captureBundle({ data, to: join(folder, 'bundle') }, () =>
    rollouts.again(1, 30_000),
  );
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
  using podman = preparePodman(controlPlane, folder);

  const times = { ours: [] as number[], runc: [] as number[], podman: [] as number[] };
  for (let round = -warmUp; round < rounds; round += 1) {
    const [ours = Number.NaN] = await rollouts.again(1, 30_000);
    const bare = await runc(round);
    const engine =
      podman.run === undefined || round % podmanEvery !== 0 ? undefined : await podman.run();
    if (round < 0) continue;
    times.ours.push(ours);
    times.runc.push(bare);
    if (engine !== undefined) times.podman.push(engine);
  }
  // At rest: an agent that had something to do gives memory back five seconds later.
  await systemClock.sleep(restMs);
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
      ...(measured === undefined ? { note: podman.why ?? 'podman is missing' } : {}),
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

/** Copies the bundle that the device makes while the work goes on; it is gone when that is done. */
async function captureBundle(
  folders: { readonly data: string; readonly to: string },
  work: () => Promise<unknown>,
): Promise<string> {
  const { data, to } = folders;
  const bundles = join(data, 'runtime', 'bundles');
  mkdirSync(to, { recursive: true });
  const isMade = (name: string): boolean => existsSync(join(bundles, name, 'config.json'));
  let captured = false;
  const timer = setInterval(() => {
    const name = captured ? undefined : readdirSync(bundles).find(isMade);
    if (name === undefined) return;
    const config = readFileSync(join(bundles, name, 'config.json'), 'utf8');
    // Half of a file that is being written is not the bundle.
    if (!config.trimEnd().endsWith('}')) return;
    writeFileSync(join(to, 'config.json'), config);
    captured = true;
  }, 1);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  if (!captured) throw new Error(`no bundle was seen in ${bundles}`);
  return to;
}

/** Builds the image and loads it into podman; nothing to run where podman cannot do that here. */
function preparePodman(
  controlPlane: ControlPlaneOnThisMachine,
  folder: string,
): Disposable & { readonly run?: () => Promise<number>; readonly why?: string } {
  const layout = join(folder, 'layout');
  // podman refuses a run root of more than 50 characters.
  const runRoot = mkdtempSync(join(tmpdir(), 'tlp-'));
  const storage = ['--root', join(folder, 'podman'), '--runroot', runRoot];
  const tapline = join(import.meta.dirname, '../../tapline');
  const build = spawnSync(
    tapline,
    [
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
  // podman leaves its storage mounted upon itself.
  const cleanUp = (): void => {
    spawnSync('umount', [join(folder, 'podman', 'overlay')]);
    rmSync(runRoot, { recursive: true, force: true });
  };
  if (build.status !== 0 || pull.status !== 0) {
    const why = [build.stderr.toString(), pull.stderr].join(' ').trim().split('\n').at(-1) ?? '';
    return { why, [Symbol.dispose]: cleanUp };
  }
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
  return { run: () => timeCommand('podman', words), [Symbol.dispose]: cleanUp };
}

function residentBytes(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}
