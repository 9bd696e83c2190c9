import {
  type FabricIntent,
  portEndName,
  type PortIntent,
  portMac,
  type PortRole,
} from '@tapline/segments';
import { eventually, haveProgram } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FrameProbe, startFrameProbe } from './support/frame-probe.ts';
import { measureMatrix, policyMatrix } from './support/measure-matrix.ts';
import { networkUnavailable } from './support/network-unavailable.ts';
import { type Namespace, openNamespace } from './support/open-namespace.ts';
import { openRoutedUnderlay, type RoutedUnderlay } from './support/routed-underlay.ts';
import { type TestEnd, trafficClasses } from './support/traffic-classes.ts';
import { startUserSpaceNode, type UserSpaceNode } from './support/userspace-node.ts';

const unavailable = networkUnavailable(haveProgram, ['ip', 'bridge', 'nft', 'python3']);
const vni = 7000;
const roles: readonly PortRole[] = [
  { kind: 'promiscuous' },
  { kind: 'isolated' },
  { kind: 'community', community: 'a' },
];
const groups: Readonly<Record<string, number>> = { promiscuous: 1, isolated: 2, community: 16 };

/** The other side, set up by hand: kernel VXLAN with group policy, marks by nftables. */
function setUpKernelNode(
  node: Namespace,
  options: {
    readonly here: string;
    readonly there: string;
    readonly ports: readonly PortIntent[];
    readonly remote: readonly PortIntent[];
  },
): void {
  const { here, there, ports, remote } = options;
  node.run(`
    ip link add br0 type bridge mcast_snooping 0
    ip link add vx0 type vxlan id ${vni} local ${here} dstport 4789 nolearning gbp
    ip link set vx0 mtu 1450 master br0 up
    ip link set br0 up
    bridge link set dev vx0 learning off
    bridge fdb append 00:00:00:00:00:00 dev vx0 dst ${there} self
    ${remote.map(({ index }) => `bridge fdb replace ${portMac(vni, index)} dev vx0 dst ${there} self; bridge fdb replace ${portMac(vni, index)} dev vx0 master static`).join('\n')}
    ${ports
      .map(({ index, attach }) => {
        const namespace = attach.kind === 'namespace' ? attach.path.replace('/run/netns/', '') : '';
        return `ip link add p${index} type veth peer name e${index} address ${portMac(vni, index)} mtu 1450 netns ${namespace}
          ip link set p${index} master br0 up
          bridge fdb replace ${portMac(vni, index)} dev p${index} master static
          ip -n ${namespace} link set e${index} up`;
      })
      .join('\n')}`);
  const allowed = ports.flatMap((port) =>
    [1, 2, 16]
      .filter(
        (group) =>
          group === 1 ||
          port.role.kind === 'promiscuous' ||
          (group === 16 && port.role.kind === 'community'),
      )
      .map((group) => `${group} . "p${port.index}"`),
  );
  node.run(
    `nft -f - <<'END'
table bridge t {
  chain in { type filter hook prerouting priority -300; policy accept;
    ${ports.map(({ index, role }) => `iifname "p${index}" meta mark set ${groups[role.kind]}`).join('\n')}
  }
  chain fw { type filter hook forward priority 0; policy drop;
    oifname "vx0" accept
    meta mark . oifname { ${allowed.join(', ')} } accept
  }
}
END`,
  );
}

describe.skipIf(unavailable !== undefined)(
  `a node in user space and a kernel's VXLAN ${unavailable ?? ''}`,
  () => {
    let underlay: RoutedUnderlay;
    let node: UserSpaceNode;
    let probe: FrameProbe;
    const workloads: Namespace[] = [];
    let ends: readonly TestEnd[];

    beforeAll(async () => {
      underlay = openRoutedUnderlay(2);
      const [here, there] = underlay.nodes;
      if (here === undefined || there === undefined) throw new Error('no nodes');
      const ports = ['n1', 'n2']
        .flatMap((name) => roles.map((role) => ({ name, role })))
        .map(({ name, role }, number): PortIntent => {
          const workload = openNamespace(`w${number + 1}`);
          workloads.push(workload);
          return {
            node: name,
            index: number + 1,
            incarnation: 1,
            owner: `w${number + 1}`,
            addresses: [`10.7.0.${number + 1}`],
            role,
            attach: { kind: 'namespace', path: `/run/netns/${workload.name}` },
          };
        });
      ends = ports.map((port) => ({
        intent: port,
        mac: portMac(vni, port.index),
        ipv4: port.addresses[0] ?? '',
      }));
      const intent: FabricIntent = {
        vxlanPort: 4789,
        nodes: [here, there].map(({ underlay: address }, index) => ({
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
            communities: { a: 16 },
            ports,
          },
        ],
      };
      setUpKernelNode(there, {
        here: there.underlay,
        there: here.underlay,
        ports: ports.slice(3),
        remote: ports.slice(0, 3),
      });
      node = await startUserSpaceNode(here.name, 'n1');
      await node.stand(intent);
      // The kernel forwards once it has noticed that the links are up.
      await eventually('all links of the bridge forwarding', () => {
        const states = there.run('bridge link show').match(/state forwarding/g);
        return states?.length === 4;
      });
      probe = await startFrameProbe(
        ports.map((port, number) => ({
          namespace: `/run/netns/${workloads[number]?.name}`,
          interface: port.node === 'n1' ? portEndName(vni, port) : `e${port.index}`,
        })),
      );
    });

    afterAll(async () => {
      await probe?.[Symbol.asyncDispose]();
      await node?.kill();
      for (const workload of workloads) workload[Symbol.dispose]();
      underlay?.[Symbol.dispose]();
    });

    test.each(
      trafficClasses
        .filter(({ honest }) => honest)
        .map((traffic) => [traffic.name, traffic] as const),
    )('%s: cell by cell what the policy says, both ways', async (_, traffic) => {
      const expected = policyMatrix(ends);
      expect(await measureMatrix(probe, ends, traffic, expected)).toEqual(expected);
    });
  },
);
