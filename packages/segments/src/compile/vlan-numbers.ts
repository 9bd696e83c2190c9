import { TaplineError } from '@tapline/base';
import type { SegmentIntent } from '../intent/segment-intent.ts';

/** IEEE Std 802.1Q: 0 is no VLAN, 4095 is reserved. */
const lastVlan = 4094;

/**
 * VLANs of a node's segments. They are the node's own and never sent, so a segment keeps the one that
 * it has, and a new one gets a free one that follows from its VNI.
 */
export class VlanNumbers {
  readonly #known: ReadonlyMap<number, number>;
  /** By VLAN: the VNI that has it, or had it before. */
  readonly #owners = new Map<number, number>();

  /** `known` are those that VNIs were seen to have; `before` are the segments that the node had. */
  constructor(
    known: ReadonlyMap<number, number> = new Map(),
    before: readonly { readonly intent: SegmentIntent; readonly vlan?: number }[] = [],
  ) {
    this.#known = known;
    for (const [vni, vlan] of known) this.#owners.set(vlan, vni);
    for (const { intent, vlan } of before)
      if (vlan !== undefined) this.#owners.set(vlan, intent.vni);
  }

  /** `before` is the one that the segment had. Throws `vlans_exhausted`. */
  take({ name, vni }: SegmentIntent, before: number | undefined): number {
    for (const vlan of [before, this.#known.get(vni)]) {
      if (vlan === undefined) continue;
      const owner = this.#owners.get(vlan) ?? vni;
      if (owner !== vni || vlan < 1 || vlan > lastVlan) continue;
      this.#owners.set(vlan, vni);
      return vlan;
    }
    for (let step = 0; step < lastVlan; step += 1) {
      const vlan = 1 + ((vni + step) % lastVlan);
      if (this.#owners.has(vlan)) continue;
      this.#owners.set(vlan, vni);
      return vlan;
    }
    throw new TaplineError(
      'vlans_exhausted',
      `segment ${name} (VNI ${vni}) is one more than the ${lastVlan} that a bridge has VLANs for`,
      { hint: 'keep some of the segments off the node, or take the layout of a bridge for each' },
    );
  }
}
