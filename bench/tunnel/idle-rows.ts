import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type BenchmarkRow, benchmarkRow } from '../result.ts';

const tunnels = Number(process.env['TAPLINE_BENCH_TUNNELS'] ?? 10_000);
const idleMs = 20_000;

/** Of the process that serves idle tunnels. */
interface Reading {
  readonly sessions: number;
  readonly connected: number;
  readonly residentBytes: number;
  readonly cpuSeconds: number;
}

/** Many idle tunnels on one gateway, and all of them coming back at once. */
export async function idleRows(): Promise<readonly BenchmarkRow[]> {
  await using opened = new AsyncDisposableStack();
  const server = startChild('idle-server.ts', [], opened);
  const { port } = (await next(server)) as { readonly port: number };
  const before = await ask(server, 'read');
  const clients = startChild('idle-clients.ts', [String(port), String(tunnels)], opened);
  clients.on('message', () => undefined);
  await settled(server);
  await delay(2000);
  const idle = await ask(server, 'read');
  await delay(idleMs);
  const after = await ask(server, 'read');
  const fromMs = performance.now();
  await ask(server, 'cut');
  await settled(server);
  const stormSeconds = (performance.now() - fromMs) / 1000;
  const each = (after.residentBytes - before.residentBytes) / tunnels / 1000;
  const share = ((after.cpuSeconds - idle.cpuSeconds) / (idleMs / 1000)) * 100;
  return [
    benchmarkRow({
      metric: `${tunnels} idle tunnels: memory of each`,
      unit: 'kB',
      better: 'lower',
      ours: Math.round(each * 10) / 10,
      peers: {},
      goal: 40,
      goalOn: 'ours',
      note: 'resident memory of the process that serves them, with TLS',
    }),
    benchmarkRow({
      metric: `${tunnels} idle tunnels: of a core`,
      unit: '%',
      better: 'lower',
      ours: Math.round(share * 10) / 10,
      peers: {},
      goal: 10,
      goalOn: 'ours',
      note: `over ${idleMs / 1000} s`,
    }),
    benchmarkRow({
      metric: `${tunnels} tunnels cut at once: until all are back`,
      unit: 's',
      better: 'lower',
      ours: Math.round(stormSeconds * 10) / 10,
      peers: {},
      goal: 60,
      goalOn: 'ours',
      note: 'clients and server share this machine',
    }),
  ];
}

function startChild(
  file: string,
  words: readonly string[],
  opened: AsyncDisposableStack,
): ChildProcess {
  const child = fork(join(import.meta.dirname, file), [...words]);
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

async function settled(server: ChildProcess): Promise<void> {
  const deadline = performance.now() + 240_000;
  for (;;) {
    const { connected } = await ask(server, 'read');
    if (connected >= tunnels) return;
    if (performance.now() > deadline) throw new Error(`${connected} of ${tunnels} are connected`);
    await delay(100);
  }
}
