import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { silentLog, systemClock, systemRng } from '@tapline/base';
import {
  createIcingaClient,
  type IcingaClient,
  type MonitoredHost,
  parseIcingaName,
  startIcingaMonitoring,
} from '@tapline/monitoring';
import { icingaUnavailable, startIcinga } from '../packages/monitoring/src/testing/start-icinga.ts';
import { gatewayRows } from './monitoring/gateway-rows.ts';
import { opsMemoryRows } from './monitoring/ops-memory-rows.ts';
import { quantile } from './quantile.ts';
import { benchmarkRow, type BenchmarkRow, type Measurement } from './result.ts';

const checksPerHost = 10;
const changesPerSecond = 20;
const stepSeconds = 20;

const parts: Readonly<Record<string, () => Promise<readonly BenchmarkRow[]>>> = {
  icinga: icingaRows,
  memory: opsMemoryRows,
  gateway: gatewayRows,
};

/** `only` names parts: `icinga`, `memory`, `gateway`; all of them where it is empty. */
export async function benchmarkMonitoring(only: readonly string[]): Promise<Measurement> {
  const unknown = only.filter((name) => !Object.hasOwn(parts, name));
  if (unknown.length > 0) {
    throw new Error(`no part ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`);
  }
  const rows: BenchmarkRow[] = [];
  for (const [name, measure] of Object.entries(parts)) {
    if (only.length === 0 || only.includes(name)) rows.push(...(await measure()));
  }
  return { versions: { icinga2: icingaVersion() }, rows };
}

function icingaVersion(): string {
  const text = execFileSync('icinga2', ['--version'], { encoding: 'utf8' });
  return /version: r?(\d+\.\d+\.\d+)/.exec(text)?.[1] ?? 'unknown';
}

/** Hosts registered in a real Icinga 2, beside one request per object, and kept in step. */
async function icingaRows(): Promise<readonly BenchmarkRow[]> {
  const unavailable = icingaUnavailable();
  if (unavailable !== undefined) throw new Error(`icinga2 cannot run here ${unavailable}`);
  const beside = await besideSingleRequests(200);
  await using icinga = await startIcinga();
  await using client = createIcingaClient({ endpoint: icinga.endpoint });
  return [...beside, ...(await atFullSize(client, 1000))];
}

async function atFullSize(client: IcingaClient, hosts: number): Promise<readonly BenchmarkRow[]> {
  const startMs = performance.now();
  await using monitoring = start(client);
  for (let at = 0; at < hosts; at += 1) monitoring.set(`edge-${at}`, hostOf(`edge-${at}`, 0));
  await allTold(monitoring, hosts);
  const seconds = (performance.now() - startMs) / 1000;

  const lags: number[] = [];
  const waits: Promise<void>[] = [];
  for (let change = 0; change < changesPerSecond * stepSeconds; change += 1) {
    const name = `edge-${change % hosts}`;
    const sentMs = performance.now();
    // One in four goes and comes back; the others change their state.
    if (change % 4 === 0) monitoring.set(name, undefined);
    else monitoring.set(name, hostOf(name, 1 + (change % 2)));
    waits.push(monitoring.idle().then(() => void lags.push(performance.now() - sentMs)));
    if (change % 4 === 0) waits.push(delay(500).then(() => monitoring.set(name, hostOf(name, 0))));
    await delay(1000 / changesPerSecond);
  }
  await Promise.all(waits);
  await monitoring.idle();

  const burst = 400;
  const burstMs = performance.now();
  for (let at = 0; at < burst; at += 1) monitoring.set(`edge-${at}`, hostOf(`edge-${at}`, 2));
  await monitoring.idle();
  const rate = burst / ((performance.now() - burstMs) / 1000);
  return [
    benchmarkRow({
      metric: `${hosts} hosts with ${checksPerHost} checks each registered, first results told`,
      unit: 's',
      better: 'lower',
      ours: seconds,
      peers: {},
      goal: 120,
      goalOn: 'ours',
    }),
    benchmarkRow({
      metric: `p95 until a change is in Icinga, at ${changesPerSecond} changes/s and this size`,
      unit: 's',
      better: 'lower',
      ours: quantile(lags, 0.95) / 1000,
      peers: {},
      goal: 1,
      goalOn: 'ours',
    }),
    benchmarkRow({
      metric: 'changes kept up with when all come at once',
      unit: '1/s',
      better: 'higher',
      ours: rate,
      peers: {},
      goal: changesPerSecond,
      goalOn: 'ours',
    }),
  ];
}

/** The same number of objects once ours and once a request each; each in an Icinga of its own. */
async function besideSingleRequests(hosts: number): Promise<readonly BenchmarkRow[]> {
  const ours = await timed(async (client) => {
    await using monitoring = start(client);
    for (let at = 0; at < hosts; at += 1) monitoring.set(`edge-${at}`, hostOf(`edge-${at}`, 0));
    await allTold(monitoring, hosts);
  });
  const single = await timed(async (client) => {
    const all = Array.from({ length: hosts }, (_, at) => parseIcingaName(`edge-${at}`));
    const creation = { templates: [], attrs: { check_command: 'passive' } };
    const checks = Array.from({ length: checksPerHost }, (_, at) => parseIcingaName(`check-${at}`));
    const result = { exit_status: 0, plugin_output: 'fine', performance_data: [] } as const;
    await eachOf(all, async (host) => {
      await client.objects.create({ host }, creation);
      await client.actions.processCheckResult({ host }, result);
      for (const service of checks) {
        await client.objects.create({ host, service }, creation);
        await client.actions.processCheckResult({ host, service }, result);
      }
    });
  });
  return [
    benchmarkRow({
      metric: `${hosts} hosts with ${checksPerHost} checks each, from an empty Icinga`,
      unit: 's',
      better: 'lower',
      ours,
      peers: { 'a request per object': single },
      note: 'ours includes that Icinga reloads once to take the templates',
    }),
  ];
}

async function timed(work: (client: IcingaClient) => Promise<void>): Promise<number> {
  await using icinga = await startIcinga();
  await using client = createIcingaClient({ endpoint: icinga.administrator });
  await client.info();
  const startMs = performance.now();
  await work(client);
  return (performance.now() - startMs) / 1000;
}

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}

function start(client: IcingaClient) {
  return startIcingaMonitoring({
    client,
    placement: { instance: parseIcingaName('bench') },
    prefix: '',
    clock: systemClock,
    rng: systemRng,
    log: silentLog,
  });
}

async function allTold(
  monitoring: ReturnType<typeof startIcingaMonitoring>,
  hosts: number,
): Promise<void> {
  for (;;) {
    const { registered, waiting } = monitoring.status().registration;
    // One more: the host that stands for the control plane.
    if (registered === hosts + 1 && waiting === 0) return;
    await delay(20);
  }
}

function hostOf(name: string, state: number): MonitoredHost {
  return {
    name,
    title: `Device ${name}`,
    kind: 'device',
    outcome: { state: 0, output: 'is connected' },
    checks: Array.from({ length: checksPerHost }, (_, at) => ({
      name: `check-${at}`,
      title: `Check ${at}`,
      outcome: {
        // The first check changes with the state, the others stay.
        state: at === 0 && state > 0 ? 2 : 0,
        output: at === 0 ? `state ${state}` : 'fine',
        performance: [{ label: 'value', value: at, unit: 's' }],
      },
    })),
  };
}
