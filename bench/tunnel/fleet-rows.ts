import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type BenchmarkRow, benchmarkRow } from '../result.ts';

const idleMs = 20_000;
/** Bare sockets are measured with fewer: each is the same. */
const mostSockets = 3000;
const clientProcesses = 2;
/** More than any count of tunnels here; a shell raises it, as Node cannot. */
const openFiles = 65_536;
const limitMs = 120_000;

interface Reading {
  readonly connected: number;
  readonly refused: number;
  readonly rss: number;
  readonly heapUsed: number;
  readonly cpuSeconds: number;
}

interface Fleet {
  readonly server: ChildProcess;
  readonly clients: readonly ChildProcess[];
  readonly count: number;
  /** Of the server before any of them. */
  readonly before: Reading;
}

/** Many idle tunnels on one gateway, and all of them coming back at once; beside bare TLS sockets. */
export async function fleetRows(tunnels: number): Promise<readonly BenchmarkRow[]> {
  const socket = await measureSockets(Math.min(tunnels, mostSockets));
  const { each, heapEach, share, stormSeconds, refused } = await measureTunnels(tunnels);
  return [
    benchmarkRow({
      metric: `${tunnels} idle tunnels: memory of each`,
      unit: 'kB',
      better: 'lower',
      ours: each,
      peers: { 'a TLS socket of Node': socket.each },
      goal: 40,
      goalOn: 'ours',
      note: `resident memory of the process that serves them; on the heap ${heapEach} kB, of a bare socket ${socket.heapEach} kB`,
    }),
    benchmarkRow({
      metric: `${tunnels} idle tunnels: of a core`,
      unit: '%',
      better: 'lower',
      ours: share,
      peers: {},
      goal: 10,
      goalOn: 'ours',
      note: `over ${idleMs / 1000} s, with keepalive each 15 s`,
    }),
    benchmarkRow({
      metric: `${tunnels} tunnels cut at once: until all are back`,
      unit: 's',
      better: 'lower',
      ours: stormSeconds,
      peers: {},
      goal: 60,
      goalOn: 'ours',
      note: `400 a second are let in, ${refused} attempts were told when to come again; clients and server share this machine`,
    }),
  ];
}

async function measureSockets(count: number): Promise<{ each: number; heapEach: number }> {
  await using opened = new AsyncDisposableStack();
  const fleet = await start('sockets', count, opened);
  return perConnection(fleet, await rested(fleet));
}

async function measureTunnels(count: number): Promise<{
  readonly each: number;
  readonly heapEach: number;
  readonly share: number;
  readonly stormSeconds: number;
  readonly refused: number;
}> {
  await using opened = new AsyncDisposableStack();
  const fleet = await start('tunnels', count, opened);
  const { server } = fleet;
  const idle = await rested(fleet);
  await delay(idleMs);
  const after = await ask(server, 'read');
  const fromMs = performance.now();
  await ask(server, 'cut');
  // Those that were cut count until they are told so.
  await delay(1000);
  const { refused } = await settled(fleet);
  return {
    ...perConnection(fleet, after),
    share: round(((after.cpuSeconds - idle.cpuSeconds) / (idleMs / 1000)) * 100),
    stormSeconds: round((performance.now() - fromMs) / 1000),
    refused: refused - after.refused,
  };
}

async function start(
  kind: 'tunnels' | 'sockets',
  count: number,
  opened: AsyncDisposableStack,
): Promise<Fleet> {
  const server = startChild(['fleet-server.ts', kind], opened);
  const { port, ca } = (await next(server)) as { readonly port: number; readonly ca: string };
  const before = await ask(server, 'read');
  const share = Math.ceil(count / clientProcesses);
  const clients: ChildProcess[] = [];
  for (let first = 0; first < count; first += share) {
    const words = [kind, port, first, Math.min(share, count - first)].map(String);
    clients.push(startChild(['fleet-clients.ts', ...words], opened, { TAPLINE_BENCH_CA: ca }));
  }
  return { server, clients, before, count };
}

function perConnection(
  { before, count }: Fleet,
  after: Reading,
): { readonly each: number; readonly heapEach: number } {
  return {
    each: round((after.rss - before.rss) / count / 1000),
    heapEach: round((after.heapUsed - before.heapUsed) / count / 1000),
  };
}

function startChild(
  [file = '', ...words]: readonly string[],
  opened: AsyncDisposableStack,
  environment: Readonly<Record<string, string>> = {},
): ChildProcess {
  const raised = `ulimit -n ${openFiles} 2>/dev/null || ulimit -n "$(ulimit -Hn)"; exec "$0" "$@"`;
  const program = [process.execPath, join(import.meta.dirname, file), ...words];
  const child = spawn('sh', ['-c', raised, ...program], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...environment },
  });
  opened.defer(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  return child;
}

async function next(child: ChildProcess): Promise<unknown> {
  const [message] = (await once(child, 'message')) as [unknown];
  return message;
}

async function ask(server: ChildProcess, what: 'read' | 'cut'): Promise<Reading> {
  const answer = next(server);
  server.send(what);
  return (await answer) as Reading;
}

/** Once all are connected, and what that took is over. */
async function rested(fleet: Fleet): Promise<Reading> {
  await settled(fleet);
  await delay(2000);
  return await ask(fleet.server, 'read');
}

async function settled({ server, clients, count }: Fleet): Promise<Reading> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const reading = await ask(server, 'read');
    if (reading.connected >= count) return reading;
    const ended = clients.find(
      ({ exitCode, signalCode }) => exitCode !== null || signalCode !== null,
    );
    if (ended !== undefined) throw new Error(`a process of clients ended with ${ended.exitCode}`);
    if (performance.now() > deadline) {
      throw new Error(`${reading.connected} of ${count} were connected after ${limitMs / 1000} s`);
    }
    await delay(250);
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
