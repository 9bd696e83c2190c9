import type { SegmentIntent } from '../intent/segment-intent.ts';
import { noVlan } from './bridge-vlans.ts';
import type { Fact } from './fact.ts';

/** The closed set of a segment, in the form in which it is checked and kept. */
export function certifySegment({ vni }: SegmentIntent, facts: readonly Fact[]): readonly string[] {
  const places = facts.map(({ group, node, vlan, origin, from, mark }) =>
    [
      vni,
      group,
      node.name,
      `${origin === undefined ? '*' : from}${vlan === noVlan ? '' : `/${vlan}`}`,
      // One that can be any is in no certificate that is accepted: it would cover nothing.
      mark ?? 'any',
    ].join(' '),
  );
  return [...new Set(places)].toSorted();
}
