import { addressBits, parseSubnet } from '../address/subnet.ts';
import { parseIpAddress } from '../address/ip-address.ts';
import type { SegmentPath } from '../encryption/segment-path.ts';
import { bridgeName, macsecName, portEndName, wireguardName } from '../names/interface-names.ts';
import type { LinkState, PortEnd } from '../state/node-state.ts';
import type { LocalPort, SegmentView } from './segment-view.ts';

/** Locally administered, and none of a port's: what the node's own ends of a segment are called. */
const nodeMac = { bridge: 0x06, vxlan: 0x0a, port: 0x0e } as const;

/** A bridge, a VXLAN device where other nodes have ports, and the node's end of each local port. */
export function segmentLinks(view: SegmentView): readonly LinkState[] {
  const { vni, mtu } = view.segment;
  const bridge = bridgeName(vni);
  const common = { up: true, mtu };
  const links: LinkState[] = [
    {
      ...common,
      name: bridge,
      kind: 'bridge',
      mac: deriveMac(nodeMac.bridge, vni, 0),
      // Snooping would keep groups from ports, by what hosts say and not by the policy.
      bridge: { vlanFiltering: false, defaultPvid: view.vlans ? 0 : 1, mcastSnooping: false },
    },
  ];
  if (view.peers.length > 0) {
    links.push({
      ...common,
      master: bridge,
      name: view.vxlan,
      kind: 'vxlan',
      mac: deriveMac(nodeMac.vxlan, vni, 0),
      // It vanishes with the device that encrypts: there is no way out in the clear.
      ...lowerOf(view.path),
      vxlan: {
        vni,
        local: view.source,
        port: view.vxlanPort,
        learning: false,
        gbp: true,
        external: false,
        vnifilter: false,
      },
      bridgePort: bridgePort({ neighSuppress: view.answers }),
    });
  }
  return [...links, ...portLinks(view, bridge)];
}

export function portLinks({ segment, local }: SegmentView, bridge: string): readonly LinkState[] {
  const { vni, mtu } = segment;
  return local.map(({ name, intent }) => ({
    name,
    kind: 'veth',
    up: true,
    mtu,
    mac: deriveMac(nodeMac.port, vni, intent.index),
    master: bridge,
    bridgePort: bridgePort({ neighSuppress: false }),
  }));
}

/** The device without which there is no way out. */
export function lowerOf(path: SegmentPath): { readonly lower?: string } {
  switch (path) {
    case 'inside':
      return { lower: wireguardName };
    case 'link':
      return { lower: macsecName };
    case 'underlay':
      return {};
  }
}

export function segmentEnds(view: SegmentView): readonly PortEnd[] {
  return view.local.map((port) => portEnd(port, view.segment));
}

/** A port's other end: what its workload has. */
export function portEnd(
  port: Pick<LocalPort, 'name' | 'mac' | 'intent'>,
  segment: SegmentView['segment'],
): PortEnd {
  const subnet = parseSubnet(segment.subnet);
  const addresses = port.intent.addresses;
  return {
    port: port.name,
    name: portEndName(segment.vni, port.intent),
    mac: port.mac,
    mtu: segment.mtu,
    addresses,
    prefixLengths: addresses.map((text) => {
      const { family } = parseIpAddress(text);
      if (family === subnet.family) return subnet.length;
      return addressBits(family);
    }),
    place: port.intent.attach,
  };
}

export function bridgePort({
  neighSuppress,
  vlanTunnel = false,
}: {
  readonly neighSuppress: boolean;
  readonly vlanTunnel?: boolean;
}): NonNullable<LinkState['bridgePort']> {
  return {
    isolated: false,
    neighSuppress,
    learning: false,
    // All MACs are known: what is for another one is for nobody.
    flood: false,
    vlanTunnel,
    hairpin: false,
  };
}

function deriveMac(first: number, vni: number, index: number): string {
  const bytes = [first, vni >>> 16, vni >>> 8, vni, index >>> 8, index];
  return bytes.map((byte) => (byte & 0xff).toString(16).padStart(2, '0')).join(':');
}
