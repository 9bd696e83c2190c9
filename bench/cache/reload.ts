import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { channelSettings, startVarnish } from '@tapline/edge-cache';
import { haveProgram, startProcess, temporaryFolder } from '@tapline/testing';
import { quantile } from '../quantile.ts';
import { benchmarkRow, type BenchmarkRow } from '../result.ts';
import { makeCertificate } from './make-certificate.ts';
import { pinVarnish } from './pin-varnish.ts';
import { startNginx } from './start-nginx.ts';
import { startOurs } from './start-ours.ts';

const run = promisify(execFile);
const client = fileURLToPath(new URL('./reload-client.ts', import.meta.url));
const floor = fileURLToPath(new URL('./reload-floor.ts', import.meta.url));
const holdMs = 200;
const playlists = 10;
const players = 50;
const reloads = 5;
/** In a round before the others: an edge runs for days, and its code is compiled by then. */
const warmReloads = 15;
const rounds = 4;

/**
 * Fifty players on each of ten playlists, whose origin holds its answer. A row has the best of the
 * rounds, of each server, because what else runs on the machine only adds; and all of them together
 * beside it.
 */
export async function measureReload(): Promise<readonly BenchmarkRow[]> {
  await using folder = await temporaryFolder();
  await chmod(folder.path, 0o755);
  makeCertificate(folder.path);
  await using origin = await startHoldingOrigin();
  await using bare = await startProcess(
    'taskset',
    ['-c', '0', process.execPath, floor, String(holdMs)],
    { readyLine: /listening (\d+)/ },
  );
  await using ours = await startOurs([origin.url, String(64 * 1024 * 1024)]);
  await using nginx = haveProgram('nginx')
    ? await startNginx({
        folder: join(folder.path, 'nginx'),
        origin: origin.url,
        certificate: folder.path,
      })
    : undefined;
  await using varnish = haveProgram('varnishd')
    ? await startVarnish({
        channels: [channelSettings({ name: 'bench', origins: [origin.url] })],
        directory: join(folder.path, 'varnish'),
        xkey: false,
      })
    : undefined;
  if (varnish !== undefined) pinVarnish(folder.path);
  const ports = {
    ours: ours.ready?.[1],
    bare: bare.ready?.[1],
    varnish: varnish === undefined ? undefined : new URL(varnish.url).port,
    nginx: nginx === undefined ? undefined : String(nginx.port),
  };
  const times = new Map<string, (readonly number[])[]>();
  let fetches = 0;
  for (let round = -1; round < rounds; round += 1) {
    for (const [name, port] of Object.entries(ports)) {
      if (port === undefined) continue;
      const before = origin.asked();
      const count = round === -1 ? warmReloads : reloads;
      const measured = await reloadsThrough(port, { first: (round + 1) * 100, count });
      if (round === -1) continue;
      times.set(name, [...(times.get(name) ?? []), measured]);
      if (name === 'ours') fetches += origin.asked() - before;
    }
  }
  const beyond = (name: string, share: number): number | undefined => {
    const measured = times.get(name)?.map((round) => quantile(round, share) - holdMs);
    return measured === undefined ? undefined : Math.min(...measured);
  };
  const row = (share: number, label: string, goal: number): BenchmarkRow =>
    benchmarkRow({
      metric: `blocking reload, 50 players on 10 playlists, ${label} beyond the origin's hold`,
      unit: 'ms',
      better: 'lower',
      ours: beyond('ours', share) ?? Number.NaN,
      peers: {
        'bare Node': beyond('bare', share),
        varnish: beyond('varnish', share),
        nginx: beyond('nginx', share),
      },
      goal,
      goalOn: 'ours',
      note: `best of ${rounds} rounds, ours of all together ${(quantile(times.get('ours')?.flat() ?? [], share) - holdMs).toFixed(1)} ms; bare Node holds and writes, without a cache or an origin: the share of client and system`,
    });
  return [
    row(0.5, 'p50', 10),
    row(0.99, 'p99', 30),
    benchmarkRow({
      metric: 'blocking reload, fetches for each playlist and part',
      unit: '',
      better: 'lower',
      ours: fetches / (rounds * playlists * (reloads + 1)),
      peers: {},
      goal: 1,
      goalOn: 'ours',
    }),
  ];
}

/** From the second core; the answers are checked there. */
async function reloadsThrough(
  port: string,
  { first, count }: { readonly first: number; readonly count: number },
): Promise<readonly number[]> {
  const words = [client, port, playlists, players, count, first].map(String);
  const { stdout } = await run('taskset', ['-c', '1', process.execPath, ...words], {
    maxBuffer: 16 * 1024 * 1024,
  });
  return JSON.parse(stdout) as readonly number[];
}

async function startHoldingOrigin(): Promise<
  AsyncDisposable & { readonly url: string; readonly asked: () => number }
> {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    setTimeout(() => {
      const body = `#EXTM3U\n#${request.url}\n`;
      response.writeHead(200, { 'cache-control': 'max-age=1', 'content-length': body.length });
      response.end(body);
    }, holdMs);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}
