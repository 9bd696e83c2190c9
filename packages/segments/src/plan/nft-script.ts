import { isRecord, TaplineError } from '@tapline/base';
import {
  dropCounters,
  type NftSetDeclaration,
  nftSets,
  nftTableName,
  nftTables,
} from '../compile/nft-tables.ts';
import type { NftTable } from '../state/nft-ruleset.ts';
import { nftText } from './nft-text.ts';

/** Marks of frames from other nodes are what these say: so many are kept apart. */
const mostCounted = 16_384;

/** Replaces the tables: what was there is gone in the same transaction. */
export function installScript(vxlanPort: number): readonly string[] {
  return nftTables(vxlanPort).flatMap((table) => [...dropTable(table.family), ...tableText(table)]);
}

export function deleteScript(): readonly string[] {
  return nftTables(1).flatMap(({ family }) => dropTable(family));
}

export function elementScript(
  verb: 'add' | 'delete',
  { set, elements }: { readonly set: string; readonly elements: readonly unknown[] },
): string {
  const { table } = declarationOf(set);
  const texts = elements.map((element) => elementText(element));
  return `${verb} element ${table} ${nftTableName} ${set} { ${texts.join(', ')} }`;
}

/** Throws `nft_set_unknown`. */
export function declarationOf(name: string): NftSetDeclaration {
  const declaration = nftSets.find((set) => set.name === name);
  if (declaration === undefined) {
    throw new TaplineError('nft_set_unknown', `there is no set ${name} in the tables`);
  }
  return declaration;
}

/** Adding first makes deleting work where there is none. */
function dropTable(family: string): readonly string[] {
  return [`add table ${family} ${nftTableName}`, `delete table ${family} ${nftTableName}`];
}

function tableText({ family, chains }: NftTable): readonly string[] {
  const sets = nftSets.filter(({ table }) => table === family);
  return [
    `table ${family} ${nftTableName} {`,
    ...(family === 'arp' ? [] : dropCounters.map((name) => `  counter ${name} {\n  }`)),
    ...sets.map(({ kind, name, declaration, counts }) => {
      const rest = counts === true ? ` size ${mostCounted}; flags dynamic; counter;` : '';
      return `  ${kind} ${name} {\n    ${declaration};${rest}\n  }`;
    }),
    ...chains.flatMap(({ name, base, rules }) => [
      `  chain ${name} {`,
      ...(base === undefined
        ? []
        : [
            `    type ${base.type} hook ${base.hook} priority ${base.priority}; policy ${base.policy};`,
          ]),
      ...rules.map(({ statements }) => `    ${statements.map(nftText).join(' ')}`),
      '  }',
    ]),
    '}',
  ];
}

function elementText(element: unknown): string {
  if (!Array.isArray(element)) return keyText(element);
  const [key, value] = element as readonly unknown[];
  return `${keyText(key)} : ${nftText(value)}`;
}

function keyText(key: unknown): string {
  const parts = isRecord(key) && Array.isArray(key['concat']) ? key['concat'] : [key];
  return parts
    .map((part: unknown) =>
      // Names of interfaces have dots, and are quoted; addresses and numbers must not be.
      typeof part === 'string' && !/^(0x)?[0-9a-f:.]+$/.test(part) ? `"${part}"` : nftText(part),
    )
    .join(' . ');
}
