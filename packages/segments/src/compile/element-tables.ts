import type { NftSet, NftTable } from '../state/nft-ruleset.ts';
import { nftSet, nftSets, nftTableName } from './nft-tables.ts';
import type { NftElements } from './segment-elements.ts';

/** Tables with nothing but elements: one segment's part of them. */
export function elementTables(elements: NftElements): readonly NftTable[] {
  const tables = new Map<string, NftSet[]>();
  for (const declaration of nftSets) {
    const list = elements.get(declaration.name);
    if (list === undefined) continue;
    const sets = tables.get(declaration.table) ?? [];
    sets.push(nftSet(declaration, list));
    tables.set(declaration.table, sets);
  }
  return [...tables].map(([family, sets]) => ({ family, name: nftTableName, chains: [], sets }));
}
