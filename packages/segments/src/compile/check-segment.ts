import { TaplineError } from '@tapline/base';
import { parseIpAddress } from '../address/ip-address.ts';
import { addressBits, parseSubnet, subnetContains } from '../address/subnet.ts';
import type { KeyPhase } from '../encryption/key-phase.ts';
import { pathAddress, segmentPath } from '../encryption/segment-path.ts';
import type { NodeIntent, SegmentIntent } from '../intent/segment-intent.ts';
import type { NodeCapabilities } from './node-capabilities.ts';
import type { NodeLayout } from './node-layout.ts';
import { isWireguardKey } from './wireguard-underlay.ts';
import { leastMtu, segmentMtu } from './segment-mtu.ts';

/** Whether a node can carry a segment as it is wanted. Throws an error that names the value. */
export function checkSegment(
  segment: SegmentIntent,
  options: {
    readonly node: NodeIntent;
    readonly capabilities: NodeCapabilities;
    readonly keys: KeyPhase | undefined;
    readonly layout: NodeLayout;
  },
): void {
  checkVni(segment);
  checkModules(segment, options);
  checkLink(segment, options);
  checkMtu(segment, options);
  checkKey(segment, options.node);
  checkKeys(segment, options);
  checkPorts(segment, options.node);
}

function checkVni({ name, vni }: SegmentIntent): void {
  if (Number.isInteger(vni) && vni >= 4096 && vni <= 0xffffff) return;
  throw new TaplineError(
    'vni_invalid',
    `segment ${name} has VNI ${vni}; 4096 to 16777215 are for segments`,
  );
}

/** What is missing is said, and never done without: least of all encryption. */
function checkModules(
  { name, encryption }: SegmentIntent,
  {
    node,
    capabilities,
    layout,
  }: {
    readonly node: NodeIntent;
    readonly capabilities: NodeCapabilities;
    readonly layout: NodeLayout;
  },
): void {
  const inKernel = layout !== 'underlay';
  const missing = [
    inKernel && !capabilities.bridge && 'bridge',
    inKernel && !capabilities.vxlanGbp && 'vxlan (with group policy, gbp)',
    inKernel && !capabilities.nftables && 'nf_tables (families bridge and inet)',
    inKernel && !capabilities.clsBpf && 'cls_bpf',
    layout === 'vlans' &&
      !capabilities.vlanFiltering &&
      'vlan_filtering of bridges, or cls_flower and act_skbedit',
    layout === 'vlans' && !capabilities.vnifilter && 'vnifilter of vxlan',
    encryption.underlay === 'wireguard' && capabilities.wireguard === 'none' && 'wireguard',
    encryption.underlay === 'ipsec' && !capabilities.ipsec && 'esp4',
    encryption.link === 'macsec' && capabilities.macsec === 'none' && 'macsec',
  ].filter((module) => module !== false);
  if (missing.length === 0) return;
  throw new TaplineError(
    'module_missing',
    `node ${node.name} cannot carry segment ${name}: its kernel lacks ${missing.join(', ')}`,
    { hint: 'load the modules, or keep the segment off the node; it is never carried without' },
  );
}

function checkMtu(
  segment: SegmentIntent,
  { node, capabilities }: { readonly node: NodeIntent; readonly capabilities: NodeCapabilities },
): void {
  const { encryption, mtu, name } = segment;
  const address = pathAddress(node, segmentPath(encryption)) ?? '';
  const family = address.includes(':') ? 6 : 4;
  const { linkMtu = 0 } = capabilities;
  const underlayMtu = encryption.link === 'macsec' ? linkMtu : capabilities.underlayMtu;
  const most = segmentMtu(underlayMtu, { encryption, family });
  const least = usesIpv6(segment) ? leastMtu : 576;
  if (mtu >= least && mtu <= most) return;
  throw new TaplineError(
    'mtu_invalid',
    `segment ${name} has MTU ${mtu} on node ${node.name}; ${least} to ${most} fit into the underlay's ${underlayMtu}`,
    { hint: mtu > most ? 'lower the MTU, or raise that of the underlay' : 'raise the MTU' },
  );
}

/** MACsec is of a link, and the node's own one is not to be taken away from everybody else. */
function checkLink(
  { name, encryption }: SegmentIntent,
  { node, capabilities }: { readonly node: NodeIntent; readonly capabilities: NodeCapabilities },
): void {
  if (encryption.link !== 'macsec') return;
  if (node.link?.interface !== undefined && capabilities.linkMtu !== undefined) return;
  const named = node.link?.interface;
  throw new TaplineError(
    'link_missing',
    named === undefined
      ? `segment ${name} asks for MACsec, and node ${node.name} has no link for it`
      : `segment ${name} asks for MACsec, and node ${node.name} has no interface ${named}`,
    { hint: 'name an interface that nothing else uses in spec.link of the Node' },
  );
}

/** Without keys a segment is not there at all. */
function checkKeys(
  { name, encryption }: SegmentIntent,
  { node, keys }: { readonly node: NodeIntent; readonly keys: KeyPhase | undefined },
): void {
  if (encryption.underlay !== 'ipsec' && encryption.link !== 'macsec') return;
  if (keys !== undefined && node.agreementKey !== undefined) return;
  throw new TaplineError(
    'keys_missing',
    `segment ${name} on node ${node.name} waits for its keys: ${keys === undefined ? 'the control plane has given out none' : 'the node has none to agree on them with'}`,
    { hint: 'wait until the control plane has heard of all nodes; nothing is carried without' },
  );
}

function checkKey({ name, encryption }: SegmentIntent, node: NodeIntent): void {
  if (encryption.underlay !== 'wireguard' || isWireguardKey(node.wireguardKey)) return;
  throw new TaplineError(
    'wireguard_key_missing',
    `segment ${name} needs a WireGuard key of node ${node.name}, which has ${node.wireguardKey ?? 'none'}`,
    { hint: 'wait until the agent of the node has reported its key' },
  );
}

function checkPorts(segment: SegmentIntent, node: NodeIntent): void {
  const subnet = parseSubnet(segment.subnet);
  const owners = new Map<string, number>();
  const indexes = new Set<number>();
  for (const { index, addresses, owner } of segment.ports) {
    if (!Number.isInteger(index) || index < 1 || index > 0xffff || indexes.has(index)) {
      throw new TaplineError(
        'port_invalid',
        `port ${index} of ${owner} in segment ${segment.name} needs a number of its own from 1 to 65535`,
      );
    }
    indexes.add(index);
    for (const text of addresses) {
      const address = parseIpAddress(text);
      const host = { ...address, length: addressBits(address.family) };
      const outside = address.family === subnet.family && !subnetContains(subnet, host);
      if (outside || owners.has(text)) {
        throw new TaplineError(
          'port_address_invalid',
          outside
            ? `address ${text} of ${owner} is not in ${segment.subnet} of segment ${segment.name}`
            : `address ${text} in segment ${segment.name} is of ports ${owners.get(text)} and ${index} (node ${node.name})`,
        );
      }
      owners.set(text, index);
    }
  }
}

function usesIpv6({ subnet, ports }: SegmentIntent): boolean {
  return (
    subnet.includes(':') ||
    ports.some(({ addresses }) => addresses.some((text) => text.includes(':')))
  );
}
