import type { NftTable } from '../state/nft-ruleset.ts';
import { nftSet, nftSets, nftTableName } from './nft-tables.ts';
import type { NftElements } from './segment-elements.ts';

/** Tables with nothing but elements: one segment's part of them. */
export function elementTables(elements: NftElements): readonly NftTable[] {
  return (['bridge', 'arp', 'inet'] as const).map((family) => ({
    family,
    name: nftTableName,
    chains: [],
    sets: nftSets
      .filter(({ table, name }) => table === family && elements.has(name))
      .map((declaration) => nftSet(declaration, elements.get(declaration.name) ?? [])),
  }));
}
