import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type FabricIntent, portEndName, portMac } from '../../packages/segments/src/index.ts';
import { haveProgram } from '../../packages/testing/src/index.ts';
import { networkUnavailable } from '../../tests/segments/support/network-unavailable.ts';
import { openNamespace } from '../../tests/segments/support/open-namespace.ts';
import { openRoutedUnderlay } from '../../tests/segments/support/routed-underlay.ts';
import { startUserSpaceNode } from '../../tests/segments/support/userspace-node.ts';
import { type BenchmarkRow, benchmarkRow } from '../result.ts';

const vni = 7000;
const seconds = 3;

/** One TCP flow between workloads on two nodes, through our path and through the kernel's VXLAN. */
export async function tapRows(): Promise<readonly BenchmarkRow[]> {
  const unavailable = networkUnavailable(haveProgram, ['ip', 'bridge', 'python3']);
  const ours = unavailable === undefined ? await throughUserSpace() : 0;
  const kernel = unavailable === undefined ? await throughKernel() : undefined;
  return [
    benchmarkRow({
      metric: 'one TCP flow between two nodes, TAP in user space',
      unit: 'Mbit/s',
      better: 'higher',
      ours,
      peers: { 'kernel VXLAN': kernel },
      note: unavailable ?? 'the kernel passes 64 kB at a time (GSO), TAP each frame of 1,464 bytes',
    }),
  ];
}

async function throughUserSpace(): Promise<number> {
  using underlay = openRoutedUnderlay(2);
  using a = openNamespace('a');
  using b = openNamespace('b');
  const intent: FabricIntent = {
    vxlanPort: 4789,
    nodes: underlay.nodes.map((node, index) => ({
      name: `n${index}`,
      vtep: `10.99.0.${index}`,
      underlay: node.underlay,
    })),
    segments: [
      {
        name: 's',
        vni,
        subnet: '10.7.0.0/24',
        mtu: 1450,
        encryption: { underlay: 'none', link: 'none' },
        communities: {},
        ports: [a, b].map((workload, index) => ({
          node: `n${index}`,
          index: index + 1,
          incarnation: 1,
          owner: 'w',
          addresses: [`10.7.0.${index + 1}`],
          role: { kind: 'promiscuous' },
          attach: { kind: 'namespace', path: `/run/netns/${workload.name}` },
        })),
      },
    ],
  };
  const nodes = await Promise.all(
    underlay.nodes.map(async ({ name }, index) => await startUserSpaceNode(name, `n${index}`)),
  );
  try {
    for (const node of nodes) await node.stand(intent);
    const port = intent.segments[0]?.ports[0];
    if (port !== undefined) a.run(`ip link show ${portEndName(vni, port)} >/dev/null`);
    return await measureFlow(a.name, b.name);
  } finally {
    for (const node of nodes) await node.kill();
  }
}

async function throughKernel(): Promise<number> {
  using underlay = openRoutedUnderlay(2);
  using a = openNamespace('a');
  using b = openNamespace('b');
  for (const [index, workload] of [a, b].entries()) {
    const node = underlay.nodes[index];
    const other = underlay.nodes[1 - index];
    node?.run(`
      ip link add br0 type bridge mcast_snooping 0
      ip link add vx0 type vxlan id ${vni} local ${node.underlay} dstport 4789 nolearning
      ip link set vx0 mtu 1450 master br0 up
      ip link set br0 up
      bridge fdb append 00:00:00:00:00:00 dev vx0 dst ${other?.underlay} self
      ip link add p0 type veth peer name e0 address ${portMac(vni, index + 1)} mtu 1450 netns ${workload.name}
      ip link set p0 master br0 up`);
    workload.run(`ip address add 10.7.0.${index + 1}/24 dev e0; ip link set e0 up`);
  }
  return await measureFlow(a.name, b.name);
}

/** Mbit/s that arrive in the namespace `to`. */
async function measureFlow(from: string, to: string): Promise<number> {
  const receiver = `
import socket, time
s = socket.create_server(("10.7.0.2", 5201)); print("ready", flush=True)
c, _ = s.accept(); n = 0; c.recv(65536); t = time.monotonic()
while time.monotonic() - t < ${seconds}:
    d = c.recv(1 << 18)
    if not d: break
    n += len(d)
print(n * 8 / (time.monotonic() - t) / 1e6)`;
  const sender = `
import socket
for _ in range(50):
    try:
        s = socket.create_connection(("10.7.0.2", 5201), timeout=2); break
    except OSError: pass
try:
    while True: s.sendall(bytes(1 << 17))
except OSError: pass`;
  const listening = spawn('ip', ['netns', 'exec', to, 'python3', '-c', receiver]);
  let output = '';
  listening.stdout.on('data', (chunk) => (output += String(chunk)));
  while (!output.includes('ready') && listening.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const sending = spawn('ip', ['netns', 'exec', from, 'python3', '-c', sender], {
    stdio: 'ignore',
  });
  const deadline = setTimeout(() => listening.kill('SIGKILL'), seconds * 1000 + 15_000);
  await once(listening, 'exit');
  clearTimeout(deadline);
  sending.kill('SIGKILL');
  return Number(output.split('\n')[1] ?? 0);
}
