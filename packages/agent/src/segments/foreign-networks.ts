import { isRecord, isTaplineError } from '@tapline/base';
import type { NodeStatus } from '@tapline/resources';
import {
  formatSubnet,
  isPortEnd,
  isSegmentInterface,
  type NodeState,
  parseIpAddress,
  parseSubnet,
  type Subnet,
  subnetsOverlap,
  wireguardName,
} from '@tapline/segments';

type Foreign = NonNullable<NodeStatus['foreign']>;

/** What says nothing about who has which addresses: loopback, link-local, multicast. */
const nobodys = [
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '::1/128',
  'fe80::/10',
  'ff00::/8',
];

const most = 4096;

/**
 * VXLAN devices, addresses and routes that are not Tapline's: numbers from there are not given out.
 * `routes` is what `ip -j route` prints.
 */
export function foreignNetworks(
  state: Pick<NodeState, 'links' | 'addresses'>,
  routes: readonly unknown[],
): Foreign {
  const vnis = state.links.flatMap(({ name, vxlan }) =>
    isOurs(name) || vxlan?.vni === undefined
      ? []
      : [{ vni: vxlan.vni, device: name, port: vxlan.port }],
  );
  const networks = [
    ...state.addresses.map(({ dev, address, prefixLength }) => ({
      device: dev,
      subnet: networkOf(address, prefixLength),
    })),
    ...routes.flatMap((route) => {
      const { dst, dev } = isRecord(route) ? route : {};
      if (typeof dst !== 'string' || typeof dev !== 'string' || dst === 'default') return [];
      const [address = '', length] = dst.split('/');
      return [
        {
          device: dev,
          subnet: networkOf(address, length === undefined ? undefined : Number(length)),
        },
      ];
    }),
  ];
  const prefixes = new Map<string, string>();
  for (const { device, subnet } of networks) {
    if (subnet === undefined || isOurs(device) || subnet.length === 0) continue;
    if (nobodys.some((one) => subnetsOverlap(parseSubnet(one), subnet))) continue;
    prefixes.set(formatSubnet(subnet), device);
  }
  return {
    vnis: vnis.slice(0, most),
    prefixes: [...prefixes]
      .map(([prefix, device]) => ({ prefix, device }))
      .toSorted((a, b) => (a.prefix < b.prefix ? -1 : 1))
      .slice(0, most),
  };
}

function isOurs(device: string): boolean {
  return isSegmentInterface(device) || isPortEnd(device) || device === wireguardName;
}

/** The network of an address; what cannot be read is no network that could be in the way. */
function networkOf(text: string, prefixLength: number | undefined): Subnet | undefined {
  try {
    const { family, value } = parseIpAddress(text);
    const bits = family === 4 ? 32 : 128;
    const length = prefixLength ?? bits;
    const host = BigInt(bits - length);
    return { family, value: (value >> host) << host, length };
  } catch (error) {
    if (isTaplineError(error)) return undefined;
    throw error;
  }
}
