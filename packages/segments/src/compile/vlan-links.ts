import { formatIpAddress, parseIpAddress } from '../address/ip-address.ts';
import { pathAddress, type SegmentPath, segmentPath } from '../encryption/segment-path.ts';
import type { Encryption, NodeIntent, SegmentIntent } from '../intent/segment-intent.ts';
import { vlanBridgeName, vlanTunnelName } from '../names/interface-names.ts';
import type { LinkState } from '../state/node-state.ts';
import type { NodeCapabilities } from './node-capabilities.ts';
import { bridgePort, lowerOf } from './segment-links.ts';
import { segmentMtu } from './segment-mtu.ts';

/** The least that is lost on each way, for frames may be as large as the largest segment's. */
const encryptionOf: Readonly<Record<SegmentPath, Encryption>> = {
  underlay: { underlay: 'none', link: 'none' },
  inside: { underlay: 'wireguard', link: 'none' },
  link: { underlay: 'none', link: 'macsec' },
};

/** The bridge whose VLANs are segments, and a VXLAN device for each way that some of them takes. */
export function vlanLinks(options: {
  readonly node: NodeIntent;
  readonly segments: readonly SegmentIntent[];
  readonly capabilities: NodeCapabilities;
  readonly vxlanPort: number;
}): readonly LinkState[] {
  const { node, segments, capabilities, vxlanPort } = options;
  const paths = new Set(segments.map(({ encryption }) => segmentPath(encryption)));
  // A change of segments that are not encrypted changes nothing that segments share.
  paths.add('underlay');
  const tunnels = [...paths].toSorted().flatMap((path): readonly LinkState[] => {
    const text = pathAddress(node, path);
    if (text === undefined) return [];
    const address = parseIpAddress(text);
    const { underlayMtu, linkMtu = underlayMtu } = capabilities;
    const name = vlanTunnelName(path);
    return [
      {
        name,
        kind: 'vxlan',
        up: true,
        mtu: segmentMtu(path === 'link' ? linkMtu : underlayMtu, {
          encryption: encryptionOf[path],
          family: address.family,
        }),
        mac: `0a:00:00:00:00:0${name.slice(-1)}`,
        master: vlanBridgeName,
        ...lowerOf(path),
        vxlan: {
          local: formatIpAddress(address),
          port: vxlanPort,
          learning: false,
          gbp: true,
          external: true,
          vnifilter: true,
        },
        bridgePort: bridgePort({ neighSuppress: false, vlanTunnel: true }),
      },
    ];
  });
  const bridge: LinkState = {
    name: vlanBridgeName,
    kind: 'bridge',
    up: true,
    mtu: Math.max(...tunnels.map(({ mtu }) => mtu)),
    mac: '06:00:00:00:00:00',
    bridge: { vlanFiltering: true, defaultPvid: 0, mcastSnooping: false },
  };
  return [bridge, ...tunnels];
}
