import { parseIpAddress, formatIpAddress } from '../address/ip-address.ts';
import type { FabricIntent, NodeIntent, SegmentIntent } from '../intent/segment-intent.ts';
import { ipsecUnderlay } from '../encryption/ipsec-underlay.ts';
import { macsecLink } from '../encryption/macsec-link.ts';
import { emptyState } from '../state/empty-state.ts';
import type { NodeState } from '../state/node-state.ts';
import { carrierLink } from './compile-carrier.ts';
import { mergeStates } from './merge-states.ts';
import { nftTables } from './nft-tables.ts';
import type { NodeCapabilities } from './node-capabilities.ts';
import type { NodeLayout } from './node-layout.ts';
import { segmentMtu } from './segment-mtu.ts';
import { type UnderlayDevice, underlayGuard } from './underlay-guard.ts';
import { vlanLinks } from './vlan-links.ts';
import { wireguardUnderlay } from './wireguard-underlay.ts';

/** What all segments of a node share: the tables, and devices that carry more than one segment. */
export function compileShared(options: {
  readonly intent: Pick<FabricIntent, 'vxlanPort' | 'nodes' | 'keys'>;
  readonly node: NodeIntent;
  readonly segments: readonly SegmentIntent[];
  readonly capabilities: NodeCapabilities;
  readonly layout: NodeLayout;
  readonly underlay: UnderlayDevice | undefined;
  readonly taken: ReadonlyMap<number, string>;
}): NodeState {
  const { intent, node, segments, capabilities, layout, underlay: device } = options;
  if (segments.length === 0) return emptyState;
  // In user space the switch itself is what the tables are otherwise.
  const tables = layout === 'underlay' ? [] : nftTables(intent.vxlanPort);
  const parts: NodeState[] = [{ ...emptyState, nft: { tables } }];
  const peers = encryptedPeers(node, { nodes: intent.nodes, segments });
  if (peers !== undefined) {
    const linked = linkedPeers(segments);
    parts.push(wireguardUnderlay(node, { peers, linked, capabilities }));
  }
  const { keys: phase, vxlanPort } = intent;
  if (phase !== undefined) {
    const nodes = new Map(intent.nodes.map((entry) => [entry.name, entry]));
    if (segments.some(({ encryption }) => encryption.underlay === 'ipsec')) {
      const shared = options.taken.size > 0;
      parts.push(ipsecUnderlay(node, { nodes, segments, vxlanPort, phase, shared }));
    }
    if (segments.some(({ encryption }) => encryption.link === 'macsec')) {
      const { linkMtu = 0 } = capabilities;
      parts.push(macsecLink(node, { nodes, segments, vxlanPort, linkMtu, phase }));
    }
  }
  const guard = device && capabilities.clsBpf ? underlayGuard(device, options) : undefined;
  if (guard !== undefined) parts.push({ ...emptyState, guards: [guard] });
  if (layout === 'vlans') {
    parts.push({ ...emptyState, links: vlanLinks({ node, segments, capabilities, vxlanPort }) });
  }
  if (layout === 'carrier') {
    const underlay = parseIpAddress(node.underlay);
    const mtu = segmentMtu(capabilities.underlayMtu, {
      encryption: { underlay: 'none', link: 'none' },
      family: underlay.family,
    });
    const local = formatIpAddress(underlay);
    parts.push({ ...emptyState, links: [carrierLink({ mtu, local, port: intent.vxlanPort })] });
  }
  return mergeStates(parts);
}

/** Whom WireGuard reaches through the encrypted link; what else it carries to them goes there, too. */
function linkedPeers(segments: readonly SegmentIntent[]): ReadonlySet<string> {
  const linked = segments.filter(
    ({ encryption }) => encryption.underlay === 'wireguard' && encryption.link === 'macsec',
  );
  return new Set(linked.flatMap(({ ports }) => ports.map((port) => port.node)));
}

/** Undefined where no segment asks for WireGuard. */
function encryptedPeers(
  node: NodeIntent,
  {
    nodes,
    segments,
  }: { readonly nodes: readonly NodeIntent[]; readonly segments: readonly SegmentIntent[] },
): readonly NodeIntent[] | undefined {
  const encrypted = segments.filter(({ encryption }) => encryption.underlay === 'wireguard');
  if (encrypted.length === 0) return undefined;
  const names = new Set(encrypted.flatMap(({ ports }) => ports.map((port) => port.node)));
  return nodes.filter((peer) => peer.name !== node.name && names.has(peer.name));
}
