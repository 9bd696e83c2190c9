import type { NftSet, NftTable } from '../state/nft-ruleset.ts';
import type { NodeState } from '../state/node-state.ts';

/** Puts parts of one node together: lists one after the other, elements into the same sets. */
export function mergeStates(parts: readonly NodeState[]): NodeState {
  return {
    links: parts.flatMap(({ links }) => links),
    fdb: parts.flatMap(({ fdb }) => fdb),
    neighbours: parts.flatMap(({ neighbours }) => neighbours),
    egress: parts.flatMap(({ egress }) => egress),
    guards: parts.flatMap(({ guards }) => guards ?? []),
    foreignFilters: parts.flatMap(({ foreignFilters }) => foreignFilters),
    nft: { tables: mergeTables(parts.flatMap(({ nft }) => nft.tables)) },
    addresses: parts.flatMap(({ addresses }) => addresses),
    vnis: parts.flatMap(({ vnis }) => vnis),
    vlans: parts.flatMap(({ vlans }) => vlans),
    portVlans: parts.flatMap(({ portVlans }) => portVlans ?? []),
    arrivals: parts.flatMap(({ arrivals }) => arrivals ?? []),
    xfrm: {
      associations: parts.flatMap(({ xfrm }) => xfrm.associations),
      policies: parts.flatMap(({ xfrm }) => xfrm.policies),
    },
    wireguard: parts.flatMap(({ wireguard }) => wireguard),
    macsec: parts.flatMap(({ macsec }) => macsec),
    routes: parts.flatMap(({ routes }) => routes ?? []),
    ends: parts.flatMap(({ ends }) => ends ?? []),
  };
}

function mergeTables(tables: readonly NftTable[]): readonly NftTable[] {
  return [...Map.groupBy(tables, ({ family, name }) => `${family} ${name}`).values()].flatMap(
    (same) => {
      const [first] = same;
      if (first === undefined) return [];
      const sets = Map.groupBy(
        same.flatMap((entry) => entry.sets),
        ({ name }) => name,
      );
      return [
        {
          ...first,
          chains: same.flatMap(({ chains }) => chains),
          sets: [...sets.values()].flatMap(mergeSets),
        },
      ];
    },
  );
}

function mergeSets(sets: readonly NftSet[]): readonly NftSet[] {
  const [first] = sets;
  return first === undefined ? [] : [{ ...first, elements: sets.flatMap((set) => set.elements) }];
}
