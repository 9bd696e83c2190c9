import { formatIpAddress, parseIpAddress } from '../address/ip-address.ts';
import type { NodeIntent } from '../intent/segment-intent.ts';
import { wireguardName } from '../names/interface-names.ts';
import { emptyState } from '../state/empty-state.ts';
import type { NodeState } from '../state/node-state.ts';
import type { NodeCapabilities } from './node-capabilities.ts';
import { macsecOverhead } from '../datapath/macsec/macsec-sender.ts';
import { wireguardOverhead } from './segment-mtu.ts';

/** UDP port of WireGuard on every node. */
export const wireguardPort = 51840;

/** `tw0` with one peer per node that shares an encrypted segment with this one. */
export function wireguardUnderlay(
  node: NodeIntent,
  options: {
    readonly peers: readonly NodeIntent[];
    /** Names of those that are reached through the encrypted link, too. */
    readonly linked: ReadonlySet<string>;
    readonly capabilities: NodeCapabilities;
  },
): NodeState {
  const { peers, linked, capabilities } = options;
  const dev = wireguardName;
  const { linkMtu = 0 } = capabilities;
  const underlayMtu =
    linked.size === 0
      ? capabilities.underlayMtu
      : Math.min(capabilities.underlayMtu, linkMtu - macsecOverhead);
  const vtep = parseIpAddress(node.vtep);
  return {
    ...emptyState,
    links: [
      {
        name: dev,
        kind: capabilities.wireguard === 'user-space' ? 'tun' : 'wireguard',
        up: true,
        mtu: underlayMtu - wireguardOverhead,
        mac: '',
      },
    ],
    addresses: [
      { dev, address: formatIpAddress(vtep), prefixLength: vtep.family === 4 ? 32 : 128 },
    ],
    routes: peers.map((peer) => ({
      dev,
      destination: formatIpAddress(parseIpAddress(peer.vtep)),
    })),
    wireguard: [
      {
        dev,
        publicKey: node.wireguardKey ?? '',
        listenPort: wireguardPort,
        // A peer without a key is reached by nothing, in the clear least of all.
        peers: peers.flatMap((peer) => {
          if (!isWireguardKey(peer.wireguardKey)) return [];
          const address = parseIpAddress(peer.vtep);
          const outside = linked.has(peer.name) ? peer.link?.address : peer.underlay;
          if (outside === undefined) return [];
          const underlay = parseIpAddress(outside);
          const host = formatIpAddress(underlay);
          return [
            {
              publicKey: peer.wireguardKey,
              endpoint: `${underlay.family === 6 ? `[${host}]` : host}:${wireguardPort}`,
              allowedIps: [`${formatIpAddress(address)}/${address.family === 4 ? 32 : 128}`],
              latestHandshake: 0,
            },
          ];
        }),
      },
    ],
  };
}

export function isWireguardKey(text: string | undefined): text is string {
  return text !== undefined && /^[A-Za-z0-9+/]{43}=$/.test(text);
}
