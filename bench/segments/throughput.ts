import { spawn } from 'node:child_process';
import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { silentLog, systemClock } from '@tapline/base';
import { createFabric, startHelper } from '@tapline/fabric';
import { type FabricIntent, portEndName, type SegmentIntent } from '@tapline/segments';
import { type BenchmarkRow, benchmarkRow } from '../result.ts';

const rounds = 4;
const seconds = 2;
const mtu = 1400;

/** One TCP flow and one ping between two nodes: our overlay, and the same devices set up by hand. */
export async function throughputRows(): Promise<readonly BenchmarkRow[]> {
  const id = `tlbench${process.pid}`;
  const names = ['a', 'b', 'wa', 'wb', 'ha', 'hb'].map((name) => `${id}-${name}`);
  const [a = '', b = '', wa = '', wb = '', ha = '', hb = ''] = names;
  execFileSync('ip', ['-batch', '-'], {
    input: names.map((name) => `netns add ${name}\n`).join(''),
  });
  try {
    inside(
      a,
      `link add u0 type veth peer name u0 netns ${b}\naddress add 192.0.2.1/24 dev u0\nlink set u0 up`,
    );
    inside(b, 'address add 192.0.2.2/24 dev u0\nlink set u0 up');
    byHand(a, { workload: ha, own: '192.0.2.1', peer: '192.0.2.2', address: '10.8.0.1' });
    byHand(b, { workload: hb, own: '192.0.2.2', peer: '192.0.2.1', address: '10.8.0.2' });
    const intent = twoNodes(wa, wb);
    await using first = fabricIn(a, 'n1');
    await using second = fabricIn(b, 'n2');
    for (const { state } of [await first.apply(intent), await second.apply(intent)]) {
      if (state !== 'converged') throw new Error('the overlay does not stand');
    }
    return await measure({ ours: [wa, wb, '10.7.0.2'], hand: [ha, hb, '10.8.0.2'] });
  } finally {
    execFileSync('ip', ['-batch', '-'], {
      input: names.map((name) => `netns delete ${name}\n`).join(''),
    });
  }
}

type Path = readonly [string, string, string];

async function measure(paths: {
  readonly ours: Path;
  readonly hand: Path;
}): Promise<readonly BenchmarkRow[]> {
  const speed = { ours: [] as number[], hand: [] as number[] };
  const latency = { ours: [] as number[], hand: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    // Alternately, as the machine is not always equally busy.
    for (const name of round % 2 === 0
      ? (['ours', 'hand'] as const)
      : (['hand', 'ours'] as const)) {
      speed[name].push(await gigabits(paths[name]));
      latency[name].push(pingMicroseconds(paths[name]));
    }
  }
  return [
    benchmarkRow({
      metric: 'one TCP flow through the overlay',
      unit: 'Gbit/s',
      better: 'higher',
      ours: Math.max(...speed.ours),
      peers: { 'set up by hand': Math.max(...speed.hand) },
      goal: 0.95,
      goalOn: 'ratio',
      note: `best of ${rounds} of ${seconds} s, alternately`,
    }),
    benchmarkRow({
      metric: 'round trip through the overlay',
      unit: 'µs',
      better: 'lower',
      ours: Math.min(...latency.ours),
      peers: { 'set up by hand': Math.min(...latency.hand) },
      goal: 1.05,
      goalOn: 'ratio',
      note: `best mean of ${rounds}, 1,000 pings each`,
    }),
  ];
}

async function gigabits([from, to, address]: Path): Promise<number> {
  const server = spawn('nsenter', [`--net=/run/netns/${to}`, 'iperf3', '-s', '-1'], {
    stdio: 'ignore',
  });
  await delay(300);
  const text = execFileSync(
    'nsenter',
    [`--net=/run/netns/${from}`, 'iperf3', '-J', '-c', address, '-t', String(seconds)],
    { encoding: 'utf8' },
  );
  await new Promise((resolve) => server.once('close', resolve));
  const result = JSON.parse(text) as { end: { sum_received: { bits_per_second: number } } };
  return result.end.sum_received.bits_per_second / 1e9;
}

function pingMicroseconds([from, , address]: Path): number {
  const text = execFileSync(
    'nsenter',
    [`--net=/run/netns/${from}`, 'ping', '-q', '-c', '1000', '-i', '0.001', address],
    { encoding: 'utf8' },
  );
  return Number(/= [0-9.]+\/([0-9.]+)\//.exec(text)?.[1]) * 1000;
}

function byHand(
  node: string,
  {
    workload,
    own,
    peer,
    address,
  }: {
    readonly workload: string;
    readonly own: string;
    readonly peer: string;
    readonly address: string;
  },
): void {
  inside(
    node,
    `link add br0 mtu ${mtu} type bridge
link add vx0 mtu ${mtu} master br0 type vxlan id 77 local ${own} remote ${peer} dstport 4790 nolearning
link add p0 mtu ${mtu} master br0 type veth peer name e0 mtu ${mtu} netns /run/netns/${workload}
link set br0 up
link set vx0 up
link set p0 up`,
  );
  inside(workload, `address add ${address}/24 dev e0\nlink set e0 up`);
}

function inside(namespace: string, lines: string): void {
  execFileSync('nsenter', [`--net=/run/netns/${namespace}`, 'ip', '-batch', '-'], {
    input: `${lines}\n`,
  });
}

function fabricIn(namespace: string, node: string): ReturnType<typeof createFabric> {
  const helper = startHelper({ prefix: ['nsenter', `--net=/run/netns/${namespace}`] });
  return createFabric({ node, helper, clock: systemClock, log: silentLog, resyncMs: 3_600_000 });
}

function twoNodes(...namespaces: readonly [string, string]): FabricIntent {
  const nodes = ['192.0.2.1', '192.0.2.2'].map((underlay, index) => ({
    name: `n${index + 1}`,
    underlay,
    vtep: underlay,
  }));
  const segment: SegmentIntent = {
    name: 'flow',
    vni: 7000,
    subnet: '10.7.0.0/24',
    mtu,
    encryption: { underlay: 'none', link: 'none' },
    communities: {},
    ports: namespaces.map((namespace, index) => ({
      node: `n${index + 1}`,
      index: index + 1,
      incarnation: 1,
      owner: portEndName(7000, { index, incarnation: 1 }),
      addresses: [`10.7.0.${index + 1}`],
      role: { kind: 'promiscuous' },
      attach: { kind: 'namespace', path: `/run/netns/${namespace}` },
    })),
  };
  return { vxlanPort: 4789, nodes, segments: [segment] };
}
