import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  eventually,
  haveProgram,
  type StartedProcess,
  startDockerRegistry,
  startProcess,
  temporaryFolder,
} from '@tapline/testing';
import { quantile } from './quantile.ts';
import { ByteConnection } from './registry/byte-connection.ts';
import { contents, getRepeatedly, pushAll, pushContent, pushManifest } from './registry/load.ts';
import { benchmarkRow, type BenchmarkRow, type Measurement } from './result.ts';

const repository = 'team/bench';
const rounds = 3;
const roundMs = 1500;
const pushesPerRound = 120;
const garbage = 3000;
const mebibyte = 1024 * 1024;

/** zot is asked for, too; its modules are served by no module proxy that was tried. */
const note = 'zot could not be built: the Go module proxy serves none of its modules';

/** The registry beside Debian's docker-registry: same client, same run, in turns. */
export async function benchmarkRegistry(): Promise<Measurement> {
  await using folder = await temporaryFolder();
  const serve = fileURLToPath(new URL('./registry/serve.ts', import.meta.url));
  await using ours = await startProcess(process.execPath, [serve, folder.path], {
    readyLine: /listening (\d+)/,
  });
  const hasPeer = haveProgram('docker-registry');
  await using peer = hasPeer ? await startDockerRegistry() : undefined;
  const ports = {
    ours: Number(ours.ready?.[1]),
    peer: peer === undefined ? undefined : Number(new URL(peer.url).port),
  };
  const [small, large] = [contents(1)[0], contents(1, 100 * mebibyte)[0]];
  if (small === undefined || large === undefined) throw new Error('no content');
  for (const port of [ports.ours, ports.peer]) {
    if (port === undefined) continue;
    using connection = await ByteConnection.open(port);
    for (const content of [small, large]) await pushContent(connection, repository, content);
    await pushManifest(connection, { repository, tag: 'v1' }, [small, large]);
  }

  async function compared(
    row: Pick<BenchmarkRow, 'metric' | 'goal'>,
    measure: (port: number) => Promise<number>,
  ): Promise<BenchmarkRow> {
    const our: number[] = [];
    const their: number[] = [];
    // In turns, so that what else the machine does falls on both.
    for (let round = 0; round < rounds; round += 1) {
      our.push(await measure(ports.ours));
      if (ports.peer !== undefined) their.push(await measure(ports.peer));
    }
    return benchmarkRow({
      ...row,
      unit: 'requests/s',
      better: 'higher',
      ours: quantile(our, 0.5),
      peers: {
        'docker-registry': ports.peer === undefined ? undefined : quantile(their, 0.5),
        zot: undefined,
      },
      goalOn: 'ratio',
      note: hasPeer ? note : `docker-registry is not installed; ${note}`,
    });
  }

  const rows = [
    await compared(
      { metric: 'GET of a manifest by tag, 16 at a time', goal: 2 },
      gets(`/v2/${repository}/manifests/v1`, 16),
    ),
    await compared(
      { metric: 'GET of a blob of 1 MiB, 8 at a time', goal: 1 },
      gets(`/v2/${repository}/blobs/${small.digest}`, 8),
    ),
    await compared(
      { metric: 'GET of a blob of 100 MiB, 2 at a time', goal: 0.9 },
      gets(`/v2/${repository}/blobs/${large.digest}`, 2),
    ),
    await compared({ metric: 'push of a blob of 1 MiB, durable, 8 at a time', goal: 2 }, (port) =>
      pushAll(port, contents(pushesPerRound), { concurrency: 8, repository }),
    ),
    await duringCollection(ours, ports.ours),
    benchmarkRow({
      metric: 'resident memory after all of it, at its peak',
      unit: 'MiB',
      better: 'lower',
      ours: peakMemory(ours.pid),
      peers: {},
      goal: 200,
      goalOn: 'ours',
    }),
  ];
  const version = hasPeer ? '2.8 (Debian)' : 'not installed';
  return { versions: { 'docker-registry': version, zot: 'not built' }, rows };
}

/** Measures GETs of a path at a port. */
function gets(path: string, concurrency: number): (port: number) => Promise<number> {
  return async (port) => (await getRepeatedly(port, path, { concurrency, ms: roundMs })).perSecond;
}

/** How much slower the slowest of a hundred GETs are while garbage is collected. */
async function duringCollection(ours: StartedProcess, port: number): Promise<BenchmarkRow> {
  const path = `/v2/${repository}/manifests/v1`;
  const before = await getRepeatedly(port, path, { concurrency: 4, ms: 2 * roundMs });
  await pushAll(port, contents(garbage, 2048), { concurrency: 8, repository: 'team/garbage' });
  ours.kill('SIGUSR2');
  const collected = eventually(
    'the end of the collection',
    () => /collected (\d+) (\d+)/.exec(ours.output()) ?? undefined,
  );
  const during = await getRepeatedly(port, path, { concurrency: 4, ms: 0, until: collected });
  const [, blobs = '', ms = ''] = (await collected) ?? [];
  const [p99, quiet] = [quantile(during.times, 0.99), quantile(before.times, 0.99)];
  return benchmarkRow({
    metric: 'p99 of manifest GETs during a garbage collection, over that without',
    unit: '×',
    better: 'lower',
    ours: p99 / quiet,
    peers: {},
    goal: 3,
    goalOn: 'ours',
    note: `${p99.toFixed(2)} ms and ${quiet.toFixed(2)} ms, ${blobs} blobs collected in ${ms} ms; docker-registry collects only while nobody pushes`,
  });
}

function peakMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
