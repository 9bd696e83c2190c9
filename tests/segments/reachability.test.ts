import type { Fabric, FabricOutcome, SegmentMetrics } from '@tapline/fabric';
import { type FabricIntent, groupId } from '@tapline/segments';
import { eventually, temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forgedProbes, hiddenProbes, matrixProbes } from './support/all-frames.ts';
import { buildNetwork, type TestNetwork } from './support/build-network.ts';
import { type FramePeer, startFramePeer } from './support/frame-peer.ts';
import { behindTags, datagram, ethernet, ipv4, raw, vxlan } from './support/frames.ts';
import { judgeMatrix } from './support/judge-matrix.ts';
import { segmentsUnavailable } from './support/segments-unavailable.ts';
import {
  startFabric,
  testIntent,
  testSegment,
  vni,
  type Workload,
  workloadNames,
  workloads,
} from './support/start-fabrics.ts';

const nodes = ['n1', 'n2', 'n3', 'n4'];

describe.each([
  { underlay: 'none' as const, programs: [] },
  { underlay: 'wireguard' as const, programs: ['wireguard-go', 'wg'] },
])('four nodes behind a router, underlay $underlay', ({ underlay, programs }) => {
  const unavailable = segmentsUnavailable(programs);
  describe.skipIf(unavailable !== undefined)(`with real packets ${unavailable ?? ''}`, () => {
    let folder: TemporaryFolder;
    let network: TestNetwork;
    let peer: FramePeer;
    let fabrics: readonly Fabric[];
    let all: readonly Workload[];
    let intent: FabricIntent;
    let outcomes: readonly FabricOutcome[];

    beforeAll(async () => {
      folder = await temporaryFolder();
      network = buildNetwork(nodes, workloadNames(nodes.length));
      peer = startFramePeer();
      fabrics = nodes.map((node) => startFabric(network, node, { folder: folder.path }).fabric);
      const encrypted = underlay === 'wireguard';
      const keys = encrypted
        ? await Promise.all(fabrics.map(async (fabric) => await fabric.wireguardKey()))
        : [];
      const named = Object.fromEntries(
        nodes.flatMap((node, at) => (keys[at] === undefined ? [] : [[node, keys[at]]])),
      );
      const segment = testSegment(network, { encryption: { underlay, link: 'none' } });
      intent = testIntent(network, [segment], named);
      all = workloads(network, segment);
      outcomes = await Promise.all(fabrics.map(async (fabric) => await fabric.apply(intent)));
      await peer.open([
        ...all,
        { name: 'stranger', namespace: network.stranger.namespace, device: 'eth0' },
      ]);
      if (encrypted) await eventually('handshakes', async () => await tunnelsStand(fabrics));
      await peer.send(matrixProbes(all), 200);
    });

    afterAll(async () => {
      for (const fabric of fabrics ?? []) await fabric[Symbol.asyncDispose]();
      await peer?.[Symbol.asyncDispose]();
      network?.[Symbol.dispose]();
      await folder?.[Symbol.asyncDispose]();
    });

    test('the segment stands on every node', () => {
      expect(outcomes.flatMap(({ conditions }) => conditions)).toEqual(
        nodes.map(() => expect.objectContaining({ segment: 'news', ready: true })),
      );
    });

    test('every kind of frame reaches whom the policy names, and nobody else', async () => {
      const probes = matrixProbes(all);
      const { agreed, forbidden, missing } = judgeMatrix(all, probes, await peer.send(probes, 700));
      expect(forbidden).toEqual([]);
      expect(missing).toEqual([]);
      // 7 kinds to one, 4 kinds to all.
      expect(agreed).toBe(all.length * (all.length - 1) * 11);
    });

    test('nobody gets what comes from somebody who says it is another', async () => {
      const probes = forgedProbes(all, 100_000);
      expect(probes.length).toBeGreaterThan(1000);
      const receipts = await peer.send(probes, 500);
      expect(receipts.filter(({ id }) => id >= 100_000)).toEqual([]);
      const metrics = await fabrics[0]?.metrics();
      expect(metrics?.drops['mac']).toBeGreaterThan(0);
      expect(metrics?.drops['address']).toBeGreaterThan(0);
    });

    test('nobody gets what is hidden behind a tag or LLC', async () => {
      const probes = hiddenProbes(all, 400_000);
      const kinds = new Map(probes.map(({ id, kind }) => [id, kind]));
      const receipts = await peer.send(probes, 500);
      const arrived = receipts.flatMap(({ id }) => kinds.get(id) ?? []);
      expect([...new Set(arrived)]).toEqual([]);
      expect((await fabrics[0]?.metrics())?.drops['tag']).toBeGreaterThan(0);
    });

    test('a tag from the overlay reaches nobody, whoever the node says it is from', async () => {
      const to = all.find(({ node }) => node === 'n1');
      const from = all.find(({ node, role }) => node === 'n2' && role.kind === 'promiscuous');
      if (to === undefined || from === undefined) throw new Error('two nodes are needed');
      const source = macOf(network, network.stranger.namespace, 'eth0');
      const router = macOf(network, network.router, 'r5');
      const [n1, n2] = network.nodes;
      // In the clear the underlay's word is taken; so what comes without a tag does arrive.
      const frames = [[], [0], [5]].map((vlans, at) => {
        const tags = vlans.map((vlan) => [0x8100, vlan] as const);
        const inner = behindTags(raw(from.mac, to.mac, 420_000 + at), tags);
        const addresses = { source: n2?.underlay ?? '', target: n1?.underlay ?? '', protocol: 17 };
        const packet = datagram(50_000, 4789, vxlan(vni, groupId(from.role, {}), inner));
        return {
          from: 'stranger',
          frame: ethernet({ source, target: router, type: 0x0800 }, ipv4(addresses, packet)),
        };
      });
      const receipts = await peer.send(frames, 300);
      const arrived = receipts.map(({ id }) => id).filter((id) => id >= 420_000);
      expect(arrived).toEqual(underlay === 'none' ? [420_000] : []);
    });

    test('a stranger on the underlay reaches nobody, however well it knows the segment', async () => {
      const router = macOf(network, network.router, 'r5');
      const source = macOf(network, network.stranger.namespace, 'eth0');
      // In the clear, an address of a node cannot be told from the node; encrypted, it can.
      const sources =
        underlay === 'wireguard'
          ? [network.stranger.underlay, ...network.nodes.map((node) => node.underlay), '10.99.0.2']
          : [network.stranger.underlay];
      let id = 200_000;
      const frames = all.flatMap((to) =>
        all.flatMap((from) => {
          const node = network.nodes.find(({ name }) => name === to.node);
          if (node === undefined || from.node === to.node) return [];
          return sources.flatMap((address) => {
            id += 1;
            const packet = vxlan(
              vni,
              groupId(from.role, { a: 16, b: 17 }),
              raw(from.mac, to.mac, id),
            );
            const outer = ipv4(
              { source: address, target: node.underlay, protocol: 17 },
              datagram(50_000, 4789, packet),
            );
            const frame = ethernet({ source, target: router, type: 0x0800 }, outer);
            return [{ from: 'stranger', frame }];
          });
        }),
      );
      const receipts = await peer.send(frames, 500);
      expect(receipts.filter(({ id: got }) => got > 200_000)).toEqual([]);
      const drops = (await fabrics[0]?.metrics())?.drops;
      // Encrypted, the filter at the underlay's device drops them before the table counts.
      expect((drops?.['stranger'] ?? 0) > 0).toBe(underlay === 'none');
    });

    test('a process of a node cannot speak for a group', async () => {
      const from = all.find(({ node }) => node === 'n1');
      const to = all.find(({ node }) => node === 'n2');
      if (from === undefined || to === undefined) throw new Error('two nodes are needed');
      const packet = vxlan(vni, 1, raw(from.mac, to.mac, 300_001));
      const vtep = underlay === 'wireguard' ? '10.99.0.2' : (network.nodes[1]?.underlay ?? '');
      // An ordinary datagram, which needs no rights: to the peer's VXLAN port.
      const script = `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:
  for n in range(3): s.sendto(bytes.fromhex('${packet.toString('hex')}'), ('${vtep}', 4789))
except PermissionError: pass`;
      await peer.probe([], 1000);
      network.run(network.nodes[0]?.namespace ?? '', ['python3', '-c', script]);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect((await peer.stop()).filter(({ id }) => id === 300_001)).toEqual([]);
      expect((await fabrics[0]?.metrics())?.drops['forged']).toBeGreaterThan(0);
    });

    test('what the policy does not let pass, and what is too large, is counted by segment', async () => {
      const before = await countsOf(fabrics[0]);
      expect(before.policyDrops).toBeGreaterThan(0);
      const from = all.find(({ node, role }) => node === 'n1' && role.kind === 'isolated');
      const to = all.find(({ node, role }) => node === 'n2' && role.kind === 'promiscuous');
      if (from === undefined || to === undefined) throw new Error('two nodes are needed');
      const send = (bytes: number): [string, ...string[]] => [
        'python3',
        '-c',
        `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, 10, 3)
for n in range(3): s.sendto(bytes(${bytes}), ('${to.ip}', 9))`,
      ];
      // A workload that thinks it may send more than the segment takes.
      network.run(from.namespace, ['ip', 'link', 'set', from.device, 'mtu', '4000']);
      network.run(from.namespace, send(3000));
      network.run(from.namespace, ['ip', 'link', 'set', from.device, 'mtu', '1300']);
      const { port, way } = (await countsOf(fabrics[0])).mtuErrors;
      expect(port).toBeGreaterThanOrEqual(before.mtuErrors.port + 3);
      expect(way).toBe(before.mtuErrors.way);
      // The way to the others is narrower than their devices say.
      const route = underlay === 'wireguard' ? '10.99.0.2 dev tw0' : 'default via 172.30.1.1';
      const narrow = ['ip', 'route', 'change', ...route.split(' '), 'mtu', '1000'] as const;
      network.run(network.nodes[0]?.namespace ?? '', [...narrow]);
      network.run(from.namespace, send(1200));
      expect((await countsOf(fabrics[0])).mtuErrors.way).toBeGreaterThanOrEqual(way + 3);
    });

    test('what stands is as it was planned, so nothing is left to do', async () => {
      const again = await Promise.all(fabrics.map(async (fabric) => await fabric.plan(intent)));
      expect(again.flat()).toEqual([]);
    });
  });
});

async function countsOf(fabric: Fabric | undefined): Promise<SegmentMetrics> {
  const found = (await fabric?.metrics())?.segments.find((segment) => segment.vni === vni);
  if (found === undefined) throw new Error(`VNI ${vni} has no counters`);
  return found;
}

function macOf(network: TestNetwork, namespace: string, device: string): string {
  const text = network.run(namespace, ['ip', '-j', 'link', 'show', 'dev', device]);
  const [link] = JSON.parse(text) as readonly { readonly address: string }[];
  return link?.address ?? '';
}

/** Every node has shaken hands with every other. */
async function tunnelsStand(fabrics: readonly Fabric[]): Promise<boolean> {
  for (const fabric of fabrics) {
    const { handshakeAgeSeconds } = await fabric.metrics();
    if (Object.keys(handshakeAgeSeconds).length < nodes.length - 1) return false;
  }
  return true;
}
