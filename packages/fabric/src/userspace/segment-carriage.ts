import { TaplineError } from '@tapline/base';
import {
  type NodeIntent,
  pathAddress,
  type SegmentIntent,
  type SegmentPath,
  vxlanHeaderBytes,
} from '@tapline/segments';

const largestMtu = 65_535 - 14 - vxlanHeaderBytes - 48;

/** What a data path in user space cannot do is said, and never done without. */
export function cannotCarry({ name, mtu }: SegmentIntent): TaplineError | undefined {
  if (mtu > largestMtu) {
    return new TaplineError(
      'mtu_invalid',
      `segment ${name} has MTU ${mtu}; ${largestMtu} is the largest`,
    );
  }
  return undefined;
}

/** Throws `underlay_missing` where a node has no such address. */
export function reachedAt(node: NodeIntent, path: SegmentPath): string {
  const address = pathAddress(node, path);
  if (address !== undefined) return address;
  throw new TaplineError('underlay_missing', `node ${node.name} has no address on its ${path}`);
}
