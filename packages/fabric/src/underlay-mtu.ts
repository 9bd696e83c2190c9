import { TaplineError } from '@tapline/base';
import type { NodeState } from '@tapline/segments';

/** MTU of the interface below an encrypted link; nothing where the node has none. */
export function linkMtu(
  { links }: NodeState,
  name: string | undefined,
): { readonly linkMtu?: number } {
  const link = links.find((entry) => entry.name === name);
  return link === undefined ? {} : { linkMtu: link.mtu };
}

/** MTU of the device with the node's underlay address. Throws `underlay_missing`. */
export function underlayMtu({ addresses, links }: NodeState, underlay: string): number {
  const dev = addresses.find(({ address }) => address === underlay)?.dev;
  const link = links.find(({ name }) => name === dev);
  if (link !== undefined) return link.mtu;
  throw new TaplineError('underlay_missing', `no device of the node has the address ${underlay}`, {
    hint: 'set the address of the node to one that it has',
  });
}
