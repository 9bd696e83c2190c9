import { formatIpAddress, parseIpAddress } from '../address/ip-address.ts';
import { pathAddress, type SegmentPath, segmentPath } from '../encryption/segment-path.ts';
import type { FabricIntent, NodeIntent, SegmentIntent } from '../intent/segment-intent.ts';
import type { NftElements } from './segment-elements.ts';

/** What all segments of a node are compiled with. */
export interface CompileContext {
  readonly intent: Pick<FabricIntent, 'vxlanPort'>;
  readonly nodes: ReadonlyMap<string, NodeIntent>;
  readonly node: NodeIntent;
  readonly answers: boolean;
  /** Whether the kernel's bridges have VLANs: then each port would be in the first one. */
  readonly vlans: boolean;
  /** Where a node takes VXLAN packets; undefined where it has no such address. */
  readonly addressOf: (node: NodeIntent, path: SegmentPath) => string | undefined;
}

/** Other nodes with ports of a segment, and where they take its VXLAN packets. */
export interface SegmentPeers {
  readonly path: SegmentPath;
  readonly peers: readonly { readonly node: string; readonly address: string }[];
}

export function segmentPeers(segment: SegmentIntent, context: CompileContext): SegmentPeers {
  const path = segmentPath(segment.encryption);
  const names = new Set(segment.ports.map(({ node }) => node));
  names.delete(context.node.name);
  const peers: { node: string; address: string }[] = [];
  for (const name of names) {
    const peer = context.nodes.get(name);
    const address = peer && context.addressOf(peer, path);
    if (address !== undefined) peers.push({ node: name, address });
  }
  return { path, peers };
}

/** From whom VXLAN packets of a VNI are taken, and on which side. */
export function guardElements(
  vni: number,
  { path, peers }: Pick<SegmentPeers, 'path' | 'peers'>,
): NftElements {
  const inside = path === 'inside';
  const elements = new Map<'vnis' | 'inside4' | 'inside6' | 'outside4' | 'outside6', unknown[]>();
  if (peers.length > 0) elements.set('vnis', [vni]);
  for (const { address } of peers) {
    const six = address.includes(':');
    const name = inside ? (six ? 'inside6' : 'inside4') : six ? 'outside6' : 'outside4';
    const list = elements.get(name) ?? [];
    list.push({ concat: [address, vni] });
    elements.set(name, list);
  }
  return elements;
}

/** Addresses as nft and iproute2 print them, each made once. */
export function printedAddresses(): CompileContext['addressOf'] {
  const printed = new Map<string, string>();
  return (node, path) => {
    const text = pathAddress(node, path);
    if (text === undefined) return undefined;
    const known = printed.get(text);
    if (known !== undefined) return known;
    const address = formatIpAddress(parseIpAddress(text));
    printed.set(text, address);
    return address;
  };
}
