import { chmod } from 'node:fs/promises';
import { haveProgram, temporaryFolder } from '@tapline/testing';
import { buildVpn } from '../../tests/anyconnect/build-vpn.ts';
import { networkUnavailable } from '../../tests/segments/support/network-unavailable.ts';
import { runInside } from '../../tests/support/test-namespaces.ts';
import { type BenchmarkRow, benchmarkRow } from '../result.ts';
import { buildPath, type PathKind, shapeWithTbf } from './network.ts';
import { competingFlow } from './competing-flow.ts';
import { type Ends, runEnds } from './run-ends.ts';

interface Situation {
  readonly name: string;
  readonly path: PathKind;
  readonly vpn?: 'dtls' | 'tls';
  /** Beside another TCP connection that takes what it gets. */
  readonly competing?: true;
  /** What is taken of the path by who paces by hand; less where VPNs or the machine take their part. */
  readonly pacedShare?: number;
}

const fast = { megabits: 1000, roundTripMs: 0, loss: 0 };
const slow = { megabits: 100, roundTripMs: 0, loss: 0 };
const situations: readonly Situation[] = [
  { name: '100 Mbit/s', path: slow },
  { name: '1 Gbit/s', path: fast },
  { name: '100 Mbit/s in AnyConnect over DTLS', path: slow, vpn: 'dtls', pacedShare: 0.7 },
  { name: '100 Mbit/s in AnyConnect over TLS', path: slow, vpn: 'tls', pacedShare: 0.7 },
  { name: '1 Gbit/s in AnyConnect over DTLS', path: fast, vpn: 'dtls', pacedShare: 0.2 },
  ...[20, 60, 120].map((roundTripMs) => ({
    name: `100 Mbit/s, ${roundTripMs} ms there and back`,
    path: { ...slow, roundTripMs },
  })),
  ...[20, 60, 120].map((roundTripMs) => ({
    name: `100 Mbit/s, ${roundTripMs} ms there and back, 1 % loss`,
    path: { ...slow, roundTripMs, loss: 0.01 },
  })),
  {
    name: '100 Mbit/s, 20 ms there and back, beside a TCP flow',
    path: { ...slow, roundTripMs: 20 },
    competing: true,
  },
];

const peers = ['node:http2', 'yamux', 'ssh'] as const;
/** No multiplexer: what pings cost on this machine beside blobs that make no queue. */
const floor = 'paced TLS';
const usualPacedShare = 0.9;
const seconds = 5;

interface Measured {
  readonly p50: number;
  readonly p99: number;
  readonly megabits: number;
}

/**
 * Pings every 10 ms on a control stream while blobs saturate the path. `only` picks situations by
 * their name, as all of them take some minutes.
 */
export async function latencyRows(only: RegExp): Promise<readonly BenchmarkRow[]> {
  const unavailable = networkUnavailable(haveProgram, ['ip', 'tc', 'gcc']);
  if (unavailable !== undefined) throw new Error(`the paths cannot be built ${unavailable}`);
  const rows: BenchmarkRow[] = [];
  for (const situation of situations.filter(({ name }) => only.test(name))) {
    if (situation.vpn !== undefined && !(haveProgram('ocserv') && haveProgram('openconnect'))) {
      continue;
    }
    rows.push(...(await measureSituation(situation)));
  }
  return rows;
}

async function measureSituation(situation: Situation): Promise<readonly BenchmarkRow[]> {
  const measured = new Map<string, Measured | undefined>();
  for (const mux of ['tapline', ...(situation.competing === true ? [] : [floor]), ...peers]) {
    const canRun = mux !== 'ssh' || haveProgram('sshd');
    measured.set(mux, canRun ? await measureOne(situation, mux) : undefined);
  }
  return rowsOf(situation, measured);
}

/** Each on a path of its own, so that none finds what another has left in a queue. */
async function measureOne(situation: Situation, mux: string): Promise<Measured> {
  await using opened = new AsyncDisposableStack();
  const ends = await build(situation, opened);
  if (situation.competing) opened.use(await competingFlow(ends));
  const { path, pacedShare = usualPacedShare } = situation;
  const paceMegabits = path.megabits * pacedShare;
  const result = await runEnds('latency', mux, { ...ends, seconds, paceMegabits });
  return result as unknown as Measured;
}

async function build(
  { path, vpn: transport }: Situation,
  opened: AsyncDisposableStack,
): Promise<Ends> {
  if (transport === undefined) return opened.use(await buildPath(path));
  const folder = opened.use(await temporaryFolder());
  await chmod(folder.path, 0o711);
  const vpn = opened.use(await buildVpn(folder.path));
  for (const space of [vpn.gateway, vpn.device]) {
    runInside(space, ['sh', '-ec', shapeWithTbf('out', path.megabits)]);
  }
  opened.use(await vpn.connect(transport));
  return { client: vpn.device, server: vpn.inside, serverAddress: vpn.insideAddress };
}

function rowsOf(
  { name, path, competing }: Situation,
  measured: ReadonlyMap<string, Measured | undefined>,
): readonly BenchmarkRow[] {
  const { p50 = Number.NaN, p99 = Number.NaN, megabits = 0 } = measured.get('tapline') ?? {};
  const of = (what: keyof Measured): Record<string, number | undefined> =>
    Object.fromEntries(peers.map((peer) => [peer, round(measured.get(peer)?.[what])]));
  const goal = path.roundTripMs + (path.roundTripMs === 0 ? 5 : 10);
  const missing = peers.filter((peer) => measured.get(peer) === undefined);
  const note = missing.length === 0 ? {} : { note: `not here: ${missing.join(', ')}` };
  return [
    benchmarkRow({
      metric: `ping beside blobs, p50, ${name}`,
      unit: 'ms',
      better: 'lower',
      ours: round(p50) ?? 0,
      peers: of('p50'),
      ...note,
    }),
    benchmarkRow({
      metric: `ping beside blobs, p99, ${name}`,
      unit: 'ms',
      better: 'lower',
      ours: round(p99) ?? 0,
      peers: of('p99'),
      // The other flow fills the queue that the pings wait in: nobody can promise a time there.
      ...(competing === true ? {} : { goal, goalOn: 'ours' as const }),
      ...note,
    }),
    ...floorRows(name, { p99, alone: measured.get(floor) }),
    // Where the path itself takes no time, what is left is the queue of the sender's own making.
    ...(path.roundTripMs === 0
      ? [
          benchmarkRow({
            metric: `the same p99 against the best peer, ${name}`,
            unit: 'ms',
            better: 'lower',
            ours: round(p99) ?? 0,
            peers: of('p99'),
            goal: 0.1,
            goalOn: 'ratio',
            ...note,
          }),
        ]
      : []),
    benchmarkRow({
      metric: `blobs beside pings, ${name}`,
      unit: 'Mbit/s',
      better: 'higher',
      ours: round(megabits) ?? 0,
      peers: of('megabits'),
      // Beside another flow, half of a fair share is not starved.
      ...(competing === true
        ? { goal: path.megabits / 4, goalOn: 'ours' as const }
        : { goal: 0.95, goalOn: 'ratio' as const }),
      ...note,
    }),
  ];
}

/** The tunnel's pings against those in a connection whose sender knows what the path takes. */
function floorRows(
  name: string,
  { p99, alone }: { readonly p99: number; readonly alone: Measured | undefined },
): readonly BenchmarkRow[] {
  if (alone === undefined) return [];
  return [
    benchmarkRow({
      metric: `the same p99 against what the machine costs, ${name}`,
      unit: 'ms',
      better: 'lower',
      ours: round(p99) ?? 0,
      peers: { 'TLS paced by hand': round(alone.p99) },
      note: `paced below what the path takes, as its user knows it: ${round(alone.megabits)} Mbit/s, p50 ${round(alone.p50)} ms`,
    }),
  ];
}

function round(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value * 100) / 100;
}
