import type { SegmentIntent } from '../intent/segment-intent.ts';
import type { LinkState, NodeState, XfrmState } from '../state/node-state.ts';
import { covers } from './address.ts';

/** What becomes of a VXLAN packet on its way out of a node, against what the claim asks for. */
export type Protection =
  | { readonly kind: 'as-asked'; readonly device: string; readonly handshake: boolean }
  /** Right now, but it would go in the clear when the encrypted device were gone. */
  | { readonly kind: 'unbound'; readonly device: string; readonly handshake: boolean }
  | { readonly kind: 'plaintext'; readonly why: string }
  /** No peer takes it: it is dropped. */
  | { readonly kind: 'dropped'; readonly why: string };

export function protectionOf(
  state: NodeState,
  link: LinkState,
  options: {
    readonly destination: string;
    readonly segment: SegmentIntent;
    /** The device that the entry names; without one, packets go as routes say. */
    readonly via: string | undefined;
  },
): Protection {
  const { destination, segment, via } = options;
  const { underlay } = segment.encryption;
  if (underlay === 'none') return { kind: 'as-asked', device: '?', handshake: true };
  if (underlay === 'ipsec') return byPolicy(state.xfrm, link, destination);
  const tunnels = state.wireguard;
  const bound = tunnels.find(({ dev }) => dev === via);
  const routed = state.routes?.some(
    (route) => route.destination === destination && tunnels.some(({ dev }) => dev === route.dev),
  );
  const tunnel = bound ?? (via === undefined && routed === true ? tunnels[0] : undefined);
  if (tunnel === undefined) {
    const where = via === undefined ? `no route to ${destination} is by` : `${via} is no`;
    return { kind: 'plaintext', why: `${where} WireGuard device, and ${link.name} is not bound` };
  }
  const peer = tunnel.peers.find(({ allowedIps }) =>
    allowedIps.some((prefix) => covers(prefix, destination)),
  );
  if (peer === undefined) {
    return { kind: 'dropped', why: `no peer of ${tunnel.dev} has ${destination}` };
  }
  const handshake = peer.latestHandshake > 0;
  return { kind: bound === undefined ? 'unbound' : 'as-asked', device: tunnel.dev, handshake };
}

function byPolicy(xfrm: XfrmState, link: LinkState, destination: string): Protection {
  const source = link.vxlan?.local ?? '';
  const port = link.vxlan?.port;
  const [policy] = xfrm.policies
    .filter(
      (entry) =>
        entry.direction === 'out' &&
        (entry.protocol ?? 'udp') === 'udp' &&
        (entry.destinationPort ?? port) === port &&
        covers(entry.source, source) &&
        covers(entry.destination, destination),
    )
    .toSorted((a, b) => a.priority - b.priority);
  if (policy === undefined || policy.conditional === true) {
    return { kind: 'plaintext', why: `no policy of IPsec is for ${source} to ${destination}` };
  }
  if (policy.action === 'block') {
    return { kind: 'dropped', why: `a policy of IPsec blocks ${source} to ${destination}` };
  }
  if (policy.level !== 'required') {
    return { kind: 'plaintext', why: `the policy of IPsec for ${destination} does not require it` };
  }
  const handshake = xfrm.associations.some(
    (entry) =>
      entry.destination === destination &&
      entry.requestId === policy.requestId &&
      !/(^|\()(ecb\()?cipher_null|digest_null/.test(entry.algorithm),
  );
  return { kind: 'as-asked', device: '?', handshake };
}

/** A device of the underlay that carries no encrypted packets: where plaintext comes in. */
export function outsideOf({ wireguard, addresses }: NodeState): string | undefined {
  const inside = new Set(wireguard.map(({ dev }) => dev));
  return addresses.find(({ dev }) => dev !== 'lo' && !inside.has(dev))?.dev;
}

/** Why the link below is not encrypted by MACsec; undefined where it is. */
export function linkWeakness(state: NodeState, address: string): string | undefined {
  const device = state.addresses.find((entry) => entry.address === address)?.dev;
  const macsec = state.macsec.find(({ dev }) => dev === device);
  if (device === undefined) return `the node does not show ${address}`;
  if (macsec === undefined) return `${device} is no MACsec device`;
  if (!macsec.encrypt || !macsec.protect) return `${device} does not encrypt`;
  if (macsec.validate !== 'strict') return `${device} takes frames that it cannot validate`;
  return undefined;
}
