import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { haveProgram, startProcess, temporaryFolder } from '@tapline/testing';
import { measureBurst, measureCreates, measureFanOut, type Target } from './api/load.ts';
import { etcdTarget, statusWrite, taplineTarget } from './api/targets.ts';
import { quantile } from './quantile.ts';
import { benchmarkRow, type BenchmarkRow, type Measurement } from './result.ts';

const concurrencies = [1, 16, 128] as const;
const createMs = 4000;
const rounds = 3;
const watchers = 1000;

/** The API beside etcd's own HTTP gateway: durable creates, fan-out of watches, status writes. */
export async function benchmarkApi(): Promise<Measurement> {
  await using folder = await temporaryFolder();
  const serve = fileURLToPath(new URL('./api/serve.ts', import.meta.url));
  await using ours = await startProcess(process.execPath, [serve, folder.path], {
    readyLine: /listening (\d+) (\S+)/,
  });
  const [, port = '', token = ''] = ours.ready ?? [];
  const tapline = taplineTarget(Number(port), token);
  const etcd = haveProgram('etcd');
  const etcdPort = await freePort();
  await using peer = etcd ? await startEtcd(folder.path, etcdPort) : undefined;
  const other = peer === undefined ? undefined : etcdTarget(etcdPort);
  const rows = [
    ...(await creates(tapline, other)),
    await fanOut(tapline, other),
    await statusWrites(Number(port), token),
  ];
  return { versions: { etcd: etcd ? await etcdVersion(etcdPort) : 'not installed' }, rows };
}

async function creates(
  tapline: Target,
  etcd: Target | undefined,
): Promise<readonly BenchmarkRow[]> {
  const rows: BenchmarkRow[] = [];
  const next = { tapline: 10_000_000, etcd: 10_000_000 };
  const rate = async (
    side: 'tapline' | 'etcd',
    target: Target,
    concurrency: number,
  ): Promise<number> => {
    const options = { concurrency, ms: createMs / rounds, firstIndex: next[side] };
    const { rate: perSecond, created } = await measureCreates(target, options);
    next[side] += created;
    return perSecond;
  };
  for (const concurrency of concurrencies) {
    const our: number[] = [];
    const their: number[] = [];
    // In turns, so that what else the machine does falls on both.
    for (let round = 0; round < rounds; round += 1) {
      our.push(await rate('tapline', tapline, concurrency));
      if (etcd !== undefined) their.push(await rate('etcd', etcd, concurrency));
    }
    rows.push(
      benchmarkRow({
        metric: `durable creates, ${concurrency} at a time`,
        unit: 'objects/s',
        better: 'higher',
        ours: quantile(our, 0.5),
        peers: { etcd: etcd === undefined ? undefined : quantile(their, 0.5) },
        goal: 1,
        goalOn: 'ratio',
        ...noEtcd(etcd),
      }),
    );
  }
  return rows;
}

async function fanOut(tapline: Target, etcd: Target | undefined): Promise<BenchmarkRow> {
  const options = { watchers, rounds: 20, firstIndex: 1_000_000 };
  const our = await measureFanOut(
    // From the newest state on: a watch without a revision would send all that was created.
    { ...tapline, watch: await fromNow(tapline) },
    options,
  );
  const their = etcd === undefined ? undefined : await measureFanOut(etcd, options);
  return benchmarkRow({
    metric: `create until the last of ${watchers} watchers has it, p50`,
    unit: 'ms',
    better: 'lower',
    ours: quantile(our, 0.5),
    peers: { etcd: their === undefined ? undefined : quantile(their, 0.5) },
    goal: 1,
    goalOn: 'ratio',
    ...noEtcd(etcd),
  });
}

async function fromNow(tapline: Target): Promise<string> {
  const { RawConnection } = await import('./api/raw-connection.ts');
  using connection = await RawConnection.open(tapline.port);
  const list = tapline.watch.replace('watch=true&resourceVersion=', 'limit=1');
  const { body } = await connection.send(list);
  const revision = /"resourceVersion":"(\d+)"/.exec(body)?.[1] ?? '';
  return tapline.watch.replace('resourceVersion=', `resourceVersion=${revision}`);
}

/** A thousand devices report that they are ready. */
async function statusWrites(port: number, token: string): Promise<BenchmarkRow> {
  const target = taplineTarget(port, token);
  const devices = 1000;
  const { RawConnection } = await import('./api/raw-connection.ts');
  using connection = await RawConnection.open(port);
  for (let index = 0; index < devices; index += 1) await connection.send(target.create(index));
  const requests = Array.from({ length: devices }, (_, index) => statusWrite(index, token));
  return benchmarkRow({
    metric: `status writes of ${devices} devices at once, all durable`,
    unit: 's',
    better: 'lower',
    ours: await measureBurst(port, requests),
    peers: {},
    goal: 1,
    goalOn: 'ours',
  });
}

function startEtcd(folder: string, port: number): ReturnType<typeof startProcess> {
  const url = `http://127.0.0.1:${port}`;
  return startProcess(
    'etcd',
    [
      '--data-dir',
      join(folder, 'etcd'),
      '--listen-client-urls',
      url,
      '--advertise-client-urls',
      url,
      '--listen-peer-urls',
      'http://127.0.0.1:0',
      '--log-level',
      'error',
    ],
    { readyUrl: `${url}/health` },
  );
}

async function etcdVersion(port: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/version`);
  const { etcdserver } = (await answer.json()) as { readonly etcdserver: string };
  return etcdserver;
}

function noEtcd(etcd: Target | undefined): { readonly note?: string } {
  return etcd === undefined ? { note: 'etcd is not installed' } : {};
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return typeof address === 'object' && address !== null ? address.port : 0;
}
