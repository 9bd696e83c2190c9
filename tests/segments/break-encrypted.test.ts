import type { Fabric } from '@tapline/fabric';
import { type FabricIntent, groupId, type NodeIntent } from '@tapline/segments';
import { eventually, temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { matrixProbes, type Probe } from './support/all-frames.ts';
import { buildNetwork, type TestNetwork } from './support/build-network.ts';
import { type FramePeer, type SentFrame, startFramePeer } from './support/frame-peer.ts';
import { datagram, ethernet, ipv4, raw, vxlan } from './support/frames.ts';
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

const nodes = ['n1', 'n2'];
const unavailable = segmentsUnavailable(['wireguard-go', 'wg']);
const first = 500_000;

/**
 * Inside WireGuard there are two layers against whoever is on the underlay and knows all of a
 * segment: the table of the family inet, and a filter at the underlay's device.
 */
describe.skipIf(unavailable !== undefined)(
  `what breaks an encrypted segment opens nothing ${unavailable ?? ''}`,
  () => {
    let folder: TemporaryFolder;
    let network: TestNetwork;
    let peer: FramePeer;
    let fabrics: readonly Fabric[];
    let helperPid: number;
    let intent: FabricIntent;
    let all: readonly Workload[];
    let probes: readonly Probe[];
    let injected: readonly SentFrame[];

    beforeAll(async () => {
      folder = await temporaryFolder();
      network = buildNetwork(nodes, workloadNames(nodes.length));
      peer = startFramePeer();
      const started = nodes.map((node) =>
        startFabric(network, node, { folder: folder.path, resyncMs: 600_000 }),
      );
      fabrics = started.map(({ fabric }) => fabric);
      helperPid = started[0]?.helper.pid ?? 0;
      const keys = await Promise.all(fabrics.map(async (fabric) => await fabric.wireguardKey()));
      const segment = testSegment(network, { encryption: { underlay: 'wireguard', link: 'none' } });
      intent = testIntent(
        network,
        [segment],
        Object.fromEntries(nodes.map((node, at) => [node, keys[at] ?? ''])),
      );
      all = workloads(network, segment);
      for (const fabric of fabrics) await fabric.apply(intent);
      await peer.open([
        ...all,
        { name: 'stranger', namespace: network.stranger.namespace, device: 'eth0' },
      ]);
      await eventually('handshakes', async () => {
        const metrics = await Promise.all(fabrics.map(async (fabric) => await fabric.metrics()));
        return metrics.every(
          ({ handshakeAgeSeconds }) => Object.keys(handshakeAgeSeconds).length > 0,
        );
      });
      probes = matrixProbes(all).filter(({ kind }) => ['odd ethertype', 'udp'].includes(kind));
      await peer.send(probes, 200);
      injected = inject();
    });

    afterAll(async () => {
      for (const fabric of fabrics ?? []) await fabric[Symbol.asyncDispose]();
      await peer?.[Symbol.asyncDispose]();
      network?.[Symbol.dispose]();
      await folder?.[Symbol.asyncDispose]();
    });

    /** To each port of n1, as each port of n2, from the stranger and in n2's name. */
    function inject(): readonly SentFrame[] {
      const source = macOf(network.stranger.namespace, 'eth0');
      const router = macOf(network.router, 'r3');
      const [here, there] = network.nodes;
      let id = first;
      return all.flatMap((to) =>
        all.flatMap((from) => {
          if (to.node !== 'n1' || from.node !== 'n2') return [];
          return [network.stranger.underlay, there?.underlay ?? ''].map((address) => {
            id += 1;
            const group = groupId(from.role, { a: 16, b: 17 });
            const packet = vxlan(vni, group, raw(from.mac, to.mac, id));
            const outer = ipv4(
              { source: address, target: here?.underlay ?? '', protocol: 17 },
              datagram(50_000, 4789, packet),
            );
            return {
              from: 'stranger',
              frame: ethernet({ source, target: router, type: 0x0800 }, outer),
            };
          });
        }),
      );
    }

    function macOf(namespace: string, device: string): string {
      const text = network.run(namespace, ['ip', '-j', 'link', 'show', 'dev', device]);
      const [link] = JSON.parse(text) as readonly { readonly address: string }[];
      return link?.address ?? '';
    }

    function n1(command: readonly [string, ...string[]]): string {
      return network.run(network.nodes[0]?.namespace ?? '', command);
    }

    async function strangersThatArrive(): Promise<number> {
      const receipts = await peer.send(injected, 300);
      return receipts.filter(({ id }) => id > first).length;
    }

    /** What is left has to hold by itself: the process with rights sleeps, so nobody mends. */
    async function whileNobodyMends(broken: () => Promise<void>): Promise<void> {
      process.kill(helperPid, 'SIGSTOP');
      try {
        await broken();
      } finally {
        process.kill(helperPid, 'SIGCONT');
      }
      const nodesAgain: readonly NodeIntent[] = [...intent.nodes];
      await fabrics[0]?.apply({ ...intent, nodes: nodesAgain });
      expect(await fabrics[0]?.plan(intent)).toEqual([]);
      await peer.open([
        ...all,
        { name: 'stranger', namespace: network.stranger.namespace, device: 'eth0' },
      ]);
      await eventually('all of the policy', async () => {
        const { forbidden, missing } = judgeMatrix(all, probes, await peer.send(probes, 300));
        expect(forbidden).toEqual([]);
        return missing.length === 0;
      });
      expect(await strangersThatArrive()).toBe(0);
    }

    async function arrivals(): Promise<ReturnType<typeof judgeMatrix>> {
      return judgeMatrix(all, probes, await peer.send(probes, 300));
    }

    test('both layers stand', async () => {
      expect(n1(['tc', 'filter', 'show', 'dev', 'eth0', 'ingress'])).toContain('bytecode');
      expect(await strangersThatArrive()).toBe(0);
    });

    test('without the table the filter holds, without both nothing does', async () => {
      await whileNobodyMends(async () => {
        n1(['nft', 'delete', 'table', 'inet', 'tapline']);
        expect(await strangersThatArrive()).toBe(0);
        const { forbidden, missing } = await arrivals();
        expect({ forbidden, missing }).toEqual({ forbidden: [], missing: [] });
        // So what the stranger sends would do harm, and the filter is what kept it out.
        n1(['tc', 'qdisc', 'del', 'dev', 'eth0', 'clsact']);
        expect(await strangersThatArrive()).toBeGreaterThan(0);
      });
    });

    test('without the filter the table holds', async () => {
      await whileNobodyMends(async () => {
        n1(['tc', 'qdisc', 'del', 'dev', 'eth0', 'clsact']);
        expect(await strangersThatArrive()).toBe(0);
      });
    });

    test('with the whole ruleset flushed nobody from outside gets in', async () => {
      await whileNobodyMends(async () => {
        n1(['nft', 'flush', 'ruleset']);
        expect(await strangersThatArrive()).toBe(0);
        expect((await arrivals()).forbidden).toEqual([]);
      });
    });

    test('another route leads nothing around WireGuard', async () => {
      await whileNobodyMends(async () => {
        const vtep = intent.nodes[1]?.vtep ?? '';
        const [route] = JSON.parse(n1(['ip', '-j', 'route', 'show', 'default'])) as readonly {
          readonly gateway: string;
        }[];
        n1(['ip', 'route', 'replace', `${vtep}/32`, 'via', route?.gateway ?? '', 'dev', 'eth0']);
        n1(['nft', 'add', 'table', 'inet', 'spy']);
        const hook = '{ type filter hook postrouting priority 0; }';
        n1(['nft', 'add', 'chain', 'inet', 'spy', 'out', hook]);
        const seen = ['oifname', 'eth0', 'udp', 'dport', '4789', 'counter'];
        n1(['nft', 'add', 'rule', 'inet', 'spy', 'out', ...seen]);
        expect(await arrivals()).toMatchObject({ forbidden: [], missing: [] });
        expect(n1(['nft', 'list', 'table', 'inet', 'spy'])).toContain('packets 0 bytes 0');
        n1(['nft', 'delete', 'table', 'inet', 'spy']);
      });
    });

    test('without WireGuard nothing passes, in the clear least of all', async () => {
      await whileNobodyMends(async () => {
        n1(['ip', 'link', 'delete', 'tw0']);
        expect(await strangersThatArrive()).toBe(0);
        const across = probes.filter(
          ({ from, to }) =>
            all.find(({ name }) => name === from)?.node !==
            all.find(({ name }) => name === to)?.node,
        );
        const ids = new Set(across.map(({ id }) => id));
        const receipts = await peer.send(across, 300);
        expect(receipts.filter(({ id }) => ids.has(id))).toEqual([]);
      });
    });

    test('a filter that somebody took away is missed and put back', async () => {
      n1(['tc', 'filter', 'del', 'dev', 'eth0', 'ingress']);
      const seen = await eventually('the filter again', () => {
        const text = n1(['tc', 'filter', 'show', 'dev', 'eth0', 'ingress']);
        return text.includes('bytecode') && text;
      });
      expect(seen).toContain('handle 0x7461');
    });
  },
);
