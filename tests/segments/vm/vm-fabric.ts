import type { FabricIntent, PortIntent, PortRole } from '@tapline/segments';
import { portMac } from '@tapline/segments';
import type { TestEnd } from '../support/traffic-classes.ts';

/** Three nodes and six ports inside one machine, in namespaces `n1` to `n3` and `w1` to `w6`. */
export const vmVni = 7000;

const roles: readonly PortRole[] = [
  { kind: 'promiscuous' },
  { kind: 'isolated' },
  { kind: 'community', community: 'a' },
  { kind: 'isolated' },
  { kind: 'community', community: 'a' },
  { kind: 'community', community: 'b' },
];
const groups: Readonly<Record<string, number>> = { a: 16, b: 17 };

export const vmPorts: readonly PortIntent[] = roles.map((role, number) => ({
  node: `n${Math.floor(number / 2) + 1}`,
  index: number + 1,
  incarnation: 1,
  owner: `w${number + 1}`,
  addresses: [`10.7.0.${number + 1}`],
  role,
  attach: { kind: 'namespace', path: `/run/netns/w${number + 1}` },
}));

export const vmEnds: readonly TestEnd[] = vmPorts.map((port) => ({
  intent: port,
  mac: portMac(vmVni, port.index),
  ipv4: port.addresses[0] ?? '',
}));

export const vmNodes = [1, 2, 3].map((number) => ({
  name: `n${number}`,
  vtep: `10.99.0.${number}`,
  underlay: `192.0.2.${number * 8 + 2}`,
}));

export function vmIntent(encryption: FabricIntent['segments'][number]['encryption']): FabricIntent {
  return {
    vxlanPort: 4789,
    nodes: vmNodes,
    segments: [
      {
        name: 'news',
        vni: vmVni,
        subnet: '10.7.0.0/24',
        mtu: 1400,
        encryption,
        communities: groups,
        ports: vmPorts,
      },
    ],
  };
}

/** Router, nodes behind it and the namespaces of workloads. */
export function routedScript(): string {
  return [
    'for n in r n1 n2 n3 w1 w2 w3 w4 w5 w6; do ip netns add $n; done',
    'ip netns exec r sysctl -qw net.ipv4.ip_forward=1',
    batch(
      'r',
      vmNodes.flatMap(({ name }, index) => [
        `link add r${index + 1} type veth peer name eth0 netns ${name}`,
        `address add 192.0.2.${index * 8 + 9}/29 dev r${index + 1}`,
        `link set r${index + 1} up`,
      ]),
    ),
    ...vmNodes.map(({ name, underlay }, index) =>
      batch(name, [
        `address add ${underlay}/29 dev eth0`,
        'link set eth0 up',
        `route add default via 192.0.2.${index * 8 + 9}`,
      ]),
    ),
  ].join('\n');
}

/** One link for all, in the namespace `r`; addresses are added to whatever carries them. */
export function sharedLinkScript(): string {
  return [
    'for n in r n1 n2 n3 w1 w2 w3 w4 w5 w6; do ip netns add $n; done',
    // What the link itself would say in the clear is none of the nodes' doing.
    'ip netns exec r sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1',
    batch('r', ['link add lan type bridge mcast_snooping 0', 'link set lan up']),
    batch(
      'r',
      vmNodes.flatMap(({ name }, index) => [
        `link add r${index + 1} type veth peer name eth0 address ${linkMac(index)} netns ${name}`,
        `link set r${index + 1} master lan up`,
      ]),
    ),
    ...vmNodes.map(({ name }) => batch(name, ['link set eth0 up'])),
  ].join('\n');
}

export function linkMac(index: number): string {
  return `06:00:00:00:00:0${index + 1}`;
}

function groupOf({ role }: PortIntent): number {
  switch (role.kind) {
    case 'promiscuous':
      return 1;
    case 'isolated':
      return 2;
    case 'community':
      return groups[role.community] ?? 0;
  }
}

/** The segment by hand, as the kernel path has it: VXLAN with group policy, marks by nftables. */
export function segmentScript(): string {
  return vmNodes
    .map(({ name, underlay }) => {
      const own = vmPorts.filter(({ node }) => node === name);
      const remote = vmPorts.filter(({ node }) => node !== name);
      const peers = vmNodes.filter((node) => node.name !== name);
      const allowed = own.flatMap((port) =>
        [1, 2, 16, 17]
          .filter(
            (group) =>
              group === 1 || groupOf(port) === 1 || (group >= 16 && group === groupOf(port)),
          )
          .map((group) => `${group} . "p${port.index}"`),
      );
      return [
        batch(name, [
          'link add br0 type bridge mcast_snooping 0',
          `link add vx0 type vxlan id ${vmVni} local ${underlay} dstport 4789 nolearning gbp`,
          'link set vx0 mtu 1400 master br0 up',
          'link set br0 up',
          ...own.flatMap(({ index }) => [
            `link add p${index} type veth peer name e${index} address ${portMac(vmVni, index)} mtu 1400 netns w${index}`,
            `link set p${index} master br0 up`,
          ]),
        ]),
        `bridge -n ${name} -batch - <<'END'`,
        'link set dev vx0 learning off',
        ...peers.map((peer) => `fdb append 00:00:00:00:00:00 dev vx0 dst ${peer.underlay} self`),
        ...remote.flatMap((port) => {
          const there = vmNodes.find((node) => node.name === port.node)?.underlay ?? '';
          const mac = portMac(vmVni, port.index);
          return [
            `fdb replace ${mac} dev vx0 dst ${there} self`,
            `fdb replace ${mac} dev vx0 master static`,
          ];
        }),
        ...own.map(
          ({ index }) => `fdb replace ${portMac(vmVni, index)} dev p${index} master static`,
        ),
        'END',
        ...own.map(({ index }) => `ip -n w${index} link set e${index} up`),
        `ip netns exec ${name} nft -f - <<'END'`,
        'table bridge t {',
        ' chain in { type filter hook prerouting priority -300; policy accept;',
        ...own.map((port) => `  iifname "p${port.index}" meta mark set ${groupOf(port)}`),
        ' }',
        ' chain fw { type filter hook forward priority 0; policy drop;',
        `  oifname "vx0" accept; meta mark . oifname { ${allowed.join(', ')} } accept`,
        ' }',
        '}',
        'END',
      ].join('\n');
    })
    .join('\n');
}

export function batch(namespace: string, lines: readonly string[]): string {
  return `ip -n ${namespace} -batch - <<'END'\n${lines.join('\n')}\nEND`;
}
