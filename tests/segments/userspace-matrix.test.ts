import type { FabricMetrics } from '@tapline/fabric';
import {
  checkCertificate,
  type FabricIntent,
  portEndName,
  type PortIntent,
  portMac,
  type PortRole,
  type Verdict,
  verifyFabric,
} from '@tapline/segments';
import { eventually, haveProgram } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FrameProbe, startFrameProbe } from './support/frame-probe.ts';
import { measureArp, measureMatrix, policyMatrix } from './support/measure-matrix.ts';
import { networkUnavailable } from './support/network-unavailable.ts';
import { type Namespace, openNamespace } from './support/open-namespace.ts';
import { openRoutedUnderlay, type RoutedUnderlay } from './support/routed-underlay.ts';
import { type TestEnd, trafficClasses } from './support/traffic-classes.ts';
import { startUserSpaceNode, type UserSpaceNode } from './support/userspace-node.ts';

const unavailable = networkUnavailable(haveProgram, ['ip', 'python3']);
const vni = 0x70_00_01;
const roles: readonly PortRole[] = [
  { kind: 'promiscuous' },
  { kind: 'isolated' },
  { kind: 'community', community: 'a' },
  { kind: 'community', community: 'b' },
];

describe.skipIf(unavailable !== undefined)(`four nodes in user space ${unavailable ?? ''}`, () => {
  let underlay: RoutedUnderlay;
  let probe: FrameProbe;
  const workloads: Namespace[] = [];
  const nodes: UserSpaceNode[] = [];
  let intent: FabricIntent;
  let ends: readonly TestEnd[];

  beforeAll(async () => {
    underlay = openRoutedUnderlay(4);
    // Each role on every node, but for the last, which has a promiscuous and an isolated port.
    const places = underlay.nodes.flatMap((_, node) =>
      (node === 3 ? roles.slice(0, 2) : roles).map((role) => ({ node, role })),
    );
    const ports = places.map(({ node, role }, number): PortIntent => {
      const workload = openNamespace(`w${number + 1}`);
      workloads.push(workload);
      return {
        node: `n${node + 1}`,
        index: number + 1,
        incarnation: 1,
        owner: `w${number + 1}`,
        addresses: [`10.7.0.${number + 1}`],
        role,
        attach: { kind: 'namespace', path: `/run/netns/${workload.name}` },
      };
    });
    intent = {
      vxlanPort: 4789,
      nodes: underlay.nodes.map(({ underlay: address }, index) => ({
        name: `n${index + 1}`,
        vtep: `10.99.0.${index + 1}`,
        underlay: address,
      })),
      segments: [
        {
          name: 'news',
          vni,
          subnet: '10.7.0.0/24',
          mtu: 1450,
          encryption: { underlay: 'none', link: 'none' },
          communities: { a: 16, b: 17 },
          ports,
        },
      ],
    };
    ends = ports.map((port) => ({
      intent: port,
      mac: portMac(vni, port.index),
      ipv4: port.addresses[0] ?? '',
    }));
    nodes.push(
      ...(await Promise.all(
        underlay.nodes.map(({ name }, index) => startUserSpaceNode(name, `n${index + 1}`)),
      )),
    );
    for (const node of nodes) await node.stand(intent);
    probe = await startFrameProbe(
      ports.map((port, number) => ({
        namespace: `/run/netns/${workloads[number]?.name}`,
        interface: portEndName(vni, port),
      })),
    );
  });

  afterAll(async () => {
    await probe?.[Symbol.asyncDispose]();
    for (const node of nodes) await node.kill();
    for (const workload of workloads) workload[Symbol.dispose]();
    underlay?.[Symbol.dispose]();
  });

  test.each(trafficClasses.map((traffic) => [traffic.name, traffic] as const))(
    '%s: cell by cell what the policy says',
    async (_, traffic) => {
      const expected = traffic.honest ? policyMatrix(ends) : [];
      expect(await measureMatrix(probe, ends, traffic, expected)).toEqual(expected);
    },
  );

  test('ARP: who may be reached is found, with its own MAC', async () => {
    expect(await measureArp(probe, ends)).toEqual(policyMatrix(ends));
  });

  test('the kernels of workloads talk as the policy says', async () => {
    const ping = (from: number, to: number): boolean =>
      workloads[from]?.tryRun(`ping -c 1 -W 1 -q 10.7.0.${to + 1} >/dev/null && echo yes`) ===
      'yes\n';
    // Promiscuous on node 1 with isolated on node 2; isolated with isolated.
    expect([ping(0, 5), ping(5, 0), ping(1, 5)]).toEqual([true, true, false]);
  });

  test('packets of a stranger, or with a group that is not the port’s, reach nobody', async () => {
    const [victim] = ends;
    const [, , , , , , member] = ends;
    if (victim === undefined || member === undefined) throw new Error('no ports');
    const address = underlay.nodes[0]?.underlay ?? '';
    const frame = (mark: string): string =>
      `${victim.mac}${member.mac}`.replaceAll(':', '') + `88b5f00dfeed${mark}${'00'.repeat(46)}`;
    const send = (at: Namespace | undefined, group: string, mark: string): void => {
      const packet = `8800${group}70000100${frame(mark)}`;
      at?.run(
        `python3 -c "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(bytes.fromhex('${packet}'), ('${address}', 4789))"`,
      );
    };
    await probe.settle(50);
    send(underlay.router, '0010', '00070001');
    send(underlay.nodes[1], '0001', '00070001');
    send(underlay.nodes[2], '0010', '00070001');
    // And one that is right, so that the others are known to have had a way.
    send(underlay.nodes[1], '0010', '00990001');
    const seen = await probe.settle();
    const marks = seen
      .map(({ frame: bytes }) => bytes.toString('hex', 18, 22))
      .filter((mark) => mark !== '');
    expect(marks.filter((mark) => mark === '00070001')).toEqual([]);
    expect(await nodes[0]?.metrics()).toMatchObject({
      segments: [{ vni, receivedPackets: expect.any(Number) }],
      drops: { drop_strangers: 1, drop_foreign: 2 },
    });
    expect(marks).toContain('00990001');
  });

  test('what is too large for the way to another node is counted, and does not go in fragments', async () => {
    // From the first node's isolated port to the second's promiscuous one.
    const [, from] = workloads;
    const send = `python3 -c "import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(3): s.sendto(bytes(1300), ('10.7.0.5', 9))"`;
    underlay.nodes[0]?.run('ip route change default via 192.0.2.9 mtu 1000');
    from?.run(send);
    const counted = async (): Promise<number | undefined> => {
      const metrics = (await nodes[0]?.metrics()) as FabricMetrics | undefined;
      return metrics?.segments[0]?.mtuErrors.way;
    };
    await eventually('all are counted', async () => ((await counted()) ?? 0) >= 3);
    expect(await counted()).toBe(3);
    underlay.nodes[0]?.run('ip route change default via 192.0.2.9');
  });

  test('a node that is killed passes nothing, and all again within two seconds of its return', async () => {
    await nodes[1]?.kill();
    const udp = trafficClasses.find(({ name }) => name === 'UDP');
    if (udp === undefined) throw new Error('no class');
    const name = underlay.nodes[1]?.name ?? '';
    const again = await startUserSpaceNode(name, 'n2');
    const startedAt = performance.now();
    nodes[1] = again;
    await again.stand(intent);
    expect(performance.now() - startedAt).toBeLessThan(2000);
    // The ends are new interfaces: they are probed anew.
    await probe[Symbol.asyncDispose]();
    probe = await startFrameProbe(
      intent.segments[0]?.ports.map((port, number) => ({
        namespace: `/run/netns/${workloads[number]?.name}`,
        interface: portEndName(vni, port),
      })) ?? [],
    );
    const expected = policyMatrix(ends);
    expect(await measureMatrix(probe, ends, udp, expected)).toEqual(expected);
  });

  test('what their switches have is proven closed, and a switch that was told something else is found', async () => {
    const look = async (): Promise<Verdict> => {
      const states = await Promise.all(nodes.map((node) => node.observe()));
      const seen = new Map(states.map((state, index) => [`n${index + 1}`, state]));
      const verdict = verifyFabric(intent, seen);
      if (verdict.certificate) checkCertificate(verdict.certificate, intent, seen);
      return verdict;
    };
    const closed = await look();
    expect([closed.result, closed.findings.map(({ message }) => message)]).toEqual([
      'verified',
      [],
    ]);
    expect(closed.certificate).toBeDefined();
    const [, isolated] = intent.segments[0]?.ports ?? [];
    const wrong: FabricIntent = {
      ...intent,
      segments: intent.segments.map((segment) => ({
        ...segment,
        ports: segment.ports.map((port) =>
          port === isolated ? { ...port, role: { kind: 'community', community: 'a' } } : port,
        ),
      })),
    };
    await nodes[0]?.stand(wrong);
    const open = await look();
    expect(open.result).toBe('open');
    expect(open.findings.map(({ code, to }) => [code, to?.port?.index])).toContainEqual([
      'port_reached',
      isolated?.index,
    ]);
    await nodes[0]?.stand(intent);
    expect((await look()).result).toBe('verified');
  });

  test('a segment that wants what is not there is refused and carries nothing in the clear', async () => {
    const encrypted: FabricIntent = {
      ...intent,
      segments: intent.segments.map((segment) => ({
        ...segment,
        encryption: { underlay: 'wireguard', link: 'none' },
      })),
    };
    expect(await nodes[0]?.apply(encrypted)).toMatchObject({
      state: 'failed',
      conditions: [{ ready: false, reason: 'underlay_missing', vni }],
    });
    const ipsec: FabricIntent = {
      ...intent,
      segments: intent.segments.map((segment) => ({
        ...segment,
        encryption: { underlay: 'ipsec', link: 'macsec' },
      })),
    };
    expect(await nodes[0]?.apply(ipsec)).toMatchObject({
      state: 'failed',
      conditions: [{ ready: false, reason: 'module_missing', vni }],
    });
  });
});
