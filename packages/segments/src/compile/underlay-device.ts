import type { NodeState } from '../state/node-state.ts';
import type { UnderlayDevice } from './underlay-guard.ts';

const ethernetAddress = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/**
 * The device with the node's underlay address, and the first place among the filters at its ingress
 * that nobody has with a filter of another kind.
 */
export function underlayDevice(
  { addresses, links, foreignFilters }: NodeState,
  underlay: string,
): UnderlayDevice | undefined {
  const dev = addresses.find(({ address }) => address === underlay)?.dev;
  const link = links.find(({ name }) => name === dev);
  if (link === undefined) return undefined;
  const others = new Set(
    foreignFilters
      .filter((filter) => filter.dev === dev && filter.direction === 'ingress')
      .filter(({ kind }) => kind !== 'bpf')
      .map((filter) => filter.preference),
  );
  let preference = 1;
  while (others.has(preference)) preference += 1;
  return { name: link.name, ethernet: ethernetAddress.test(link.mac), preference };
}
