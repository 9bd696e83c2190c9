import type { FabricIntent, PortIntent, SegmentIntent } from '../intent/segment-intent.ts';
import type { PortRole } from '../intent/port-role.ts';
import type { NodeCapabilities } from '../compile/node-capabilities.ts';

/** A kernel that can do all that segments ask for. */
export const capable: NodeCapabilities = {
  underlayMtu: 1500,
  bridge: true,
  vxlanGbp: true,
  vnifilter: true,
  vlanFiltering: true,
  nftables: true,
  nftablesArp: true,
  clsBpf: true,
  wireguard: 'kernel',
  ipsec: true,
  macsec: 'kernel',
};

export const roles: readonly PortRole[] = [
  { kind: 'promiscuous' },
  { kind: 'community', community: 'a' },
  { kind: 'community', community: 'b' },
  { kind: 'isolated' },
];

/** One segment with a port of each role on each node. */
export function sampleSegment(
  nodes: readonly string[],
  override: Partial<SegmentIntent> = {},
): SegmentIntent {
  const ports = nodes.flatMap((node, at) =>
    roles.map((role, number): PortIntent => {
      const index = at * roles.length + number + 1;
      return {
        node,
        index,
        incarnation: 1,
        owner: `w${index}`,
        addresses: [`10.7.0.${index}`, `fd00:7::${index}`],
        role,
        attach: { kind: 'host' },
      };
    }),
  );
  return {
    name: 'news',
    vni: 7000,
    subnet: '10.7.0.0/24',
    mtu: 1370,
    encryption: { underlay: 'none', link: 'none' },
    communities: { a: 16, b: 17 },
    ports,
    ...override,
  };
}

export function sampleIntent(segments: readonly SegmentIntent[]): FabricIntent {
  const names = [...new Set(segments.flatMap(({ ports }) => ports.map(({ node }) => node)))];
  return {
    vxlanPort: 4789,
    nodes: names.map((name, index) => ({
      name,
      vtep: `10.99.0.${index + 1}`,
      underlay: `192.0.2.${index + 1}`,
      wireguardKey: `${'A'.repeat(42)}${index}=`,
    })),
    segments,
  };
}
