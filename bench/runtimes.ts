import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemClock } from '../packages/base/src/index.ts';
import { type ContainerSpec, createRuncRuntime } from '../packages/runtimes/src/index.ts';
import { makeTestRootfs } from '../packages/runtimes/src/testing/make-test-rootfs.ts';
import { quantile } from './quantile.ts';
import { type BenchmarkRow, benchmarkRow, type Measurement } from './result.ts';

const rounds = 100;
const ballastMegabytes = 100;
/** A warm delivery may take this much of what bare runc takes. */
const goal = 1.5;

/**
 * Starting a prepared container, next to runc itself on the same bundle in the same loop, from a
 * small process and from one of the size an agent may have.
 */
export async function benchmarkRuntimes(): Promise<Measurement> {
  const version = spawnSync('runc', ['--version'], { encoding: 'utf8' });
  const runc = version.stdout?.split('\n')[0] ?? 'missing';
  const folder = mkdtempSync(join(tmpdir(), 'tapline-bench-'));
  chmodSync(folder, 0o755);
  try {
    makeTestRootfs(join(folder, 'rootfs'));
    const small = await measure(folder, 'small process');
    const ballast = Array.from({ length: ballastMegabytes }, () => Buffer.alloc(2 ** 20, 1));
    const large = await measure(folder, `process with ${ballast.length} MiB more`);
    return { versions: { runc }, rows: [...small, ...large] };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(folder: string, who: string): Promise<readonly BenchmarkRow[]> {
  const directory = join(folder, 'runtime');
  const root = join(folder, 'bare');
  await using runtime = await createRuncRuntime({ directory, clock: systemClock, log: silentLog });
  const spec: ContainerSpec = {
    id: 'bench',
    rootfs: join(folder, 'rootfs'),
    command: ['/bin/sh', '-c', ':'],
    env: { PATH: '/bin' },
    workingDirectory: '/',
    user: { uid: 1000, gid: 1000 },
    hostname: 'bench',
    limits: { memoryBytes: 256 * 2 ** 20, pids: 256 },
    tmpfs: [
      { path: '/tmp', sizeBytes: 16 * 2 ** 20 },
      { path: '/run', sizeBytes: 2 ** 20 },
    ],
    network: 'none',
    labels: {},
  };
  const prepared = await runtime.prepare(spec);
  const kept = await runtime.prepare({ ...spec, id: 'kept' });
  const bare = (...words: readonly string[]): Promise<void> =>
    succeed('runc', ['--root', root, 'run', '--bundle', prepared.bundle, ...words]);

  const times = { run: [], bareRun: [], start: [], bareStart: [] } as Record<string, number[]>;
  async function timed(name: string, work: () => Promise<unknown>): Promise<void> {
    const from = performance.now();
    await work();
    times[name]?.push(performance.now() - from);
  }
  for (let round = 0; round < rounds; round += 1) {
    await timed('bareRun', () => bare('bare'));
    await timed('run', () => runtime.run(prepared));
    await timed('bareStart', () => bare('--detach', '--pid-file', join(folder, 'pid'), 'bare'));
    await succeed('runc', ['--root', root, 'delete', '--force', 'bare']);
    await timed('start', () => runtime.start(kept));
    await runtime.wait('kept');
    // What `run` and `start` made ready for the next time is on nobody's way.
    await systemClock.sleep(10);
  }
  await runtime.remove('kept');
  await runtime.remove('bench');
  return [
    row(`run to its end, p50, ${who}`, { ours: times['run'], bare: times['bareRun'], share: 0.5 }),
    row(`run to its end, p99, ${who}`, { ours: times['run'], bare: times['bareRun'], share: 0.99 }),
    row(`start, p50, ${who}`, { ours: times['start'], bare: times['bareStart'], share: 0.5 }),
    row(`start, p99, ${who}`, { ours: times['start'], bare: times['bareStart'], share: 0.99 }),
  ];
}

function row(
  metric: string,
  data: {
    readonly ours: readonly number[] | undefined;
    readonly bare: readonly number[] | undefined;
    readonly share: number;
  },
): BenchmarkRow {
  return benchmarkRow({
    metric,
    unit: 'ms',
    better: 'lower',
    ours: quantile(data.ours ?? [], data.share),
    peers: { runc: quantile(data.bare ?? [], data.share) },
    goal,
    goalOn: 'ratio',
  });
}

function succeed(program: string, words: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'inherit'] });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`${program} ${words[2] ?? ''} ended with ${code}`)),
    );
  });
}
