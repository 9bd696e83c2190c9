import { spawn } from 'node:child_process';
import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { silentLog, systemClock } from '@tapline/base';
import { createFabric, startHelper } from '@tapline/fabric';
import {
  commandBatches,
  compileNode,
  type CompileOptions,
  emptyState,
  type FabricIntent,
  planNode,
  portEndName,
  type SegmentIntent,
  wholeState,
} from '@tapline/segments';
import { type BenchmarkRow, benchmarkRow } from '../result.ts';

const rounds = 6;
const seconds = 2;
const mtu = 1400;

const setups = ['ours', 'hand', 'bare'] as const;
type Setup = (typeof setups)[number];

/** Two nodes on one link, and a workload on each. */
interface Pair {
  readonly nodes: readonly [string, string];
  readonly workloads: readonly [string, string];
  readonly target: string;
}

/**
 * One TCP flow and one ping between two nodes: our overlay, the same devices and rules set up by
 * hand, and the same devices without any rule. Each has nodes of its own.
 */
export async function throughputRows(): Promise<readonly BenchmarkRow[]> {
  const id = `tlbench${process.pid}`;
  const pairs = Object.fromEntries(
    setups.map((setup): [Setup, Pair] => {
      const name = (what: string): string => `${id}-${setup}-${what}`;
      return [
        setup,
        {
          nodes: [name('a'), name('b')],
          workloads: [name('wa'), name('wb')],
          target: setup === 'bare' ? '10.8.0.2' : '10.7.0.2',
        },
      ];
    }),
  ) as Readonly<Record<Setup, Pair>>;
  const names = Object.values(pairs).flatMap(({ nodes, workloads }) => [...nodes, ...workloads]);
  netns('add', names);
  try {
    for (const { nodes } of Object.values(pairs)) link(nodes);
    const { bare, hand, ours } = pairs;
    const addresses = ['192.0.2.1', '192.0.2.2'] as const;
    bare.nodes.forEach((node, at) =>
      withoutRules(node, {
        workload: bare.workloads[at] ?? '',
        own: addresses[at] ?? '',
        peer: addresses[1 - at] ?? '',
        address: `10.8.0.${at + 1}`,
      }),
    );
    const intent = twoNodes(...ours.workloads);
    await using first = fabricIn(ours.nodes[0], 'n1');
    await using second = fabricIn(ours.nodes[1], 'n2');
    for (const { state } of [await first.apply(intent), await second.apply(intent)]) {
      if (state !== 'converged') throw new Error('the overlay does not stand');
    }
    const capabilities = await first.capabilities();
    hand.nodes.forEach((node, at) => byHand(node, { name: `n${at + 1}`, hand, capabilities }));
    return await measure(pairs);
  } finally {
    netns('delete', names);
  }
}

function netns(verb: 'add' | 'delete', names: readonly string[]): void {
  execFileSync('ip', ['-batch', '-'], {
    input: names.map((name) => `netns ${verb} ${name}\n`).join(''),
  });
}

function link([a, b]: readonly [string, string]): void {
  inside(
    a,
    `link add u0 type veth peer name u0 netns ${b}\naddress add 192.0.2.1/24 dev u0\nlink set u0 up`,
  );
  inside(b, 'address add 192.0.2.2/24 dev u0\nlink set u0 up');
}

/** The commands of the plan, by programs that end: nothing of ours runs on the node. */
function byHand(
  node: string,
  options: {
    readonly name: string;
    readonly hand: Pair;
    readonly capabilities: CompileOptions['capabilities'];
  },
): void {
  const { name, hand, capabilities } = options;
  const compiled = compileNode(twoNodes(...hand.workloads), { node: name, capabilities });
  const plan = planNode(wholeState(compiled), emptyState);
  for (const batch of commandBatches(plan, { wireguardKeyFile: '' })) {
    const place = batch.namespace ?? `/run/netns/${node}`;
    const flags = batch.program === 'nft' ? ['-f', '-'] : ['-batch', '-'];
    execFileSync('nsenter', [`--net=${place}`, batch.program, ...flags], {
      input: `${batch.lines.join('\n')}\n`,
    });
  }
}

async function measure(pairs: Readonly<Record<Setup, Pair>>): Promise<readonly BenchmarkRow[]> {
  const speed: Record<Setup, number[]> = { ours: [], hand: [], bare: [] };
  const latency: Record<Setup, number[]> = { ours: [], hand: [], bare: [] };
  for (let round = 0; round < rounds; round += 1) {
    // In turn, as the machine is not always equally busy.
    for (const setup of [...setups.slice(round % 3), ...setups.slice(0, round % 3)]) {
      speed[setup].push(await gigabits(pairs[setup]));
      latency[setup].push(pingMicroseconds(pairs[setup]));
    }
  }
  const fastest = (setup: Setup): number => Math.max(...speed[setup]);
  const shortest = (setup: Setup): number => Math.min(...latency[setup]);
  const flow = { unit: 'Gbit/s', better: 'higher', ours: fastest('ours') } as const;
  const trip = { unit: 'µs', better: 'lower', ours: shortest('ours') } as const;
  return [
    benchmarkRow({
      ...flow,
      metric: 'one TCP flow through the overlay',
      peers: { 'the same devices and rules by hand': fastest('hand') },
      goal: 0.95,
      goalOn: 'ratio',
      note: `best of ${rounds} of ${seconds} s, in turn`,
    }),
    benchmarkRow({
      ...trip,
      metric: 'round trip through the overlay',
      peers: { 'the same devices and rules by hand': shortest('hand') },
      goal: 1.05,
      goalOn: 'ratio',
      note: `best mean of ${rounds}, 1,000 pings each`,
    }),
    benchmarkRow({
      ...flow,
      metric: 'what the policy costs: one TCP flow',
      peers: { 'the same devices without rules': fastest('bare') },
      note: 'there nobody is kept from anybody',
    }),
    benchmarkRow({
      ...trip,
      metric: 'what the policy costs: round trip',
      peers: { 'the same devices without rules': shortest('bare') },
      note: 'there nobody is kept from anybody',
    }),
  ];
}

async function gigabits({ workloads: [from, to], target }: Pair): Promise<number> {
  const server = spawn('nsenter', [`--net=/run/netns/${to}`, 'iperf3', '-s', '-1'], {
    stdio: 'ignore',
  });
  await delay(300);
  const text = execFileSync(
    'nsenter',
    [`--net=/run/netns/${from}`, 'iperf3', '-J', '-c', target, '-t', String(seconds)],
    { encoding: 'utf8' },
  );
  await new Promise((resolve) => server.once('close', resolve));
  const result = JSON.parse(text) as { end: { sum_received: { bits_per_second: number } } };
  return result.end.sum_received.bits_per_second / 1e9;
}

function pingMicroseconds({ workloads: [from], target }: Pair): number {
  const text = execFileSync(
    'nsenter',
    [`--net=/run/netns/${from}`, 'ping', '-q', '-c', '1000', '-i', '0.001', target],
    { encoding: 'utf8' },
  );
  return Number(/= [0-9.]+\/([0-9.]+)\//.exec(text)?.[1]) * 1000;
}

function withoutRules(
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
