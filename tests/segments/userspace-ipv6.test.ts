import { type FabricIntent, portEndName, portMac, type PortRole } from '@tapline/segments';
import { haveProgram } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FrameProbe, startFrameProbe } from './support/frame-probe.ts';
import { measureMatrix, policyMatrix } from './support/measure-matrix.ts';
import { networkUnavailable } from './support/network-unavailable.ts';
import { openNamespace } from './support/open-namespace.ts';
import { type TestEnd, trafficClasses } from './support/traffic-classes.ts';
import { startUserSpaceNode } from './support/userspace-node.ts';

const unavailable = networkUnavailable(haveProgram, ['ip', 'python3']);
const vni = 0x70_00_06;
const roles: readonly PortRole[] = [
  { kind: 'promiscuous' },
  { kind: 'isolated' },
  { kind: 'community', community: 'a' },
  { kind: 'isolated' },
  { kind: 'community', community: 'a' },
  { kind: 'promiscuous' },
];

describe.skipIf(unavailable !== undefined)(
  `in user space over IPv6, behind a router ${unavailable ?? ''}`,
  () => {
    const opened = new AsyncDisposableStack();
    let probe: FrameProbe;
    let ends: readonly TestEnd[];

    beforeAll(async () => {
      const router = opened.use(openNamespace('router6'));
      router.run('sysctl -qw net.ipv6.conf.all.forwarding=1');
      const nodes = [1, 2, 3].map((number) => {
        const node = opened.use(openNamespace(`n${number}`));
        router.run(`
          ip link add r${number} type veth peer name eth0 netns ${node.name}
          ip address add fd00:${number}::1/64 dev r${number} nodad
          ip link set r${number} up`);
        node.run(`
          ip address add fd00:${number}::2/64 dev eth0 nodad
          ip link set eth0 up
          ip -6 route add default via fd00:${number}::1`);
        return { name: node.name, underlay: `fd00:${number}::2` };
      });
      const workloads = roles.map((_, number) => opened.use(openNamespace(`w${number + 1}`)));
      const intent: FabricIntent = {
        vxlanPort: 4789,
        nodes: nodes.map(({ underlay }, index) => ({
          name: `n${index + 1}`,
          vtep: `10.99.0.${index + 1}`,
          underlay,
        })),
        segments: [
          {
            name: 'news',
            vni,
            subnet: '10.7.0.0/24',
            // IPv6 outside takes 20 bytes more than IPv4.
            mtu: 1430,
            encryption: { underlay: 'none', link: 'none' },
            communities: { a: 16 },
            ports: roles.map((role, number) => ({
              node: `n${Math.floor(number / 2) + 1}`,
              index: number + 1,
              incarnation: 1,
              owner: `w${number + 1}`,
              addresses: [`10.7.0.${number + 1}`],
              role,
              attach: { kind: 'namespace', path: `/run/netns/${workloads[number]?.name}` },
            })),
          },
        ],
      };
      const ports = intent.segments[0]?.ports ?? [];
      ends = ports.map((port) => ({
        intent: port,
        mac: portMac(vni, port.index),
        ipv4: port.addresses[0] ?? '',
      }));
      for (const [index, { name }] of nodes.entries()) {
        const node = opened.use(await startUserSpaceNode(name, `n${index + 1}`));
        await node.stand(intent);
      }
      probe = opened.use(
        await startFrameProbe(
          ports.map((port, number) => ({
            namespace: `/run/netns/${workloads[number]?.name}`,
            interface: portEndName(vni, port),
          })),
        ),
      );
    }, 60_000);
    afterAll(async () => {
      await opened.disposeAsync();
    });

    test.each(
      trafficClasses
        .filter(({ name }) => ['UDP', 'broadcast', 'raw frames'].includes(name))
        .map((traffic) => [traffic.name, traffic] as const),
    )('%s: cell by cell what the policy says', async (_, traffic) => {
      // The first packet may wait for its neighbour.
      await measureMatrix(probe, ends, traffic);
      const expected = policyMatrix(ends);
      expect(await measureMatrix(probe, ends, traffic, expected)).toEqual(expected);
    });
  },
);
