import type { Encryption, NodeIntent } from '../intent/segment-intent.ts';

/** Which of its addresses a node takes VXLAN packets of a segment at. */
export type SegmentPath = 'inside' | 'link' | 'underlay';

/** Inside WireGuard, on the encrypted link, or on the underlay itself. */
export function segmentPath({ underlay, link }: Encryption): SegmentPath {
  if (underlay === 'wireguard') return 'inside';
  return link === 'macsec' ? 'link' : 'underlay';
}

/** Undefined where the node has no such address: then it is reached by nothing. */
export function pathAddress(node: NodeIntent, path: SegmentPath): string | undefined {
  switch (path) {
    case 'inside':
      return node.vtep;
    case 'link':
      return node.link?.address;
    case 'underlay':
      return node.underlay;
  }
}
