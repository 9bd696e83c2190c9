import { canonicalJson, isRecord } from '@tapline/base';
import { nftTableName, vxlanPortOf } from '../compile/nft-tables.ts';
import type { NftSet, NftTable } from '../state/nft-ruleset.ts';
import type { NodeState } from '../state/node-state.ts';
import { listDifference } from './list-difference.ts';
import type { Operation } from './operation.ts';

/** All of it is one transaction: there is no moment between old and new rules. */
export function planTables(desired: NodeState, observed: NodeState): readonly Operation[] {
  const wanted = ours(desired);
  const found = ours(observed);
  // A part has no rules: the tables are the others', too, and stay.
  if (wanted.length === 0 && found.some(({ chains }) => chains.length > 0)) {
    return [{ kind: 'tables-delete' }];
  }
  const port = vxlanPortOf(wanted);
  // A part of a state has elements only: its tables stand already.
  const whole = port !== undefined;
  if (whole && !wanted.every((table) => found.some((other) => sameRules(table, other)))) {
    const install: Operation = { kind: 'tables-install', vxlanPort: port };
    return [install, ...adds(wanted.flatMap(({ sets }) => sets))];
  }
  const changes = differences(wanted, found);
  return [
    ...changes.flatMap(({ name, removed }): readonly Operation[] =>
      removed.length === 0 ? [] : [{ kind: 'elements-delete', set: name, elements: removed }],
    ),
    ...adds(changes.map(({ name, added }) => ({ name, elements: added }))),
  ];
}

function ours({ nft }: NodeState): readonly NftTable[] {
  return nft.tables.filter(({ name }) => name === nftTableName);
}

function adds(sets: readonly Pick<NftSet, 'name' | 'elements'>[]): readonly Operation[] {
  return sets.flatMap(({ name, elements }): readonly Operation[] =>
    elements.length === 0 ? [] : [{ kind: 'elements-add', set: name, elements }],
  );
}

/** Chains as they are to be, and nothing beside them; and all sets of the right type. */
function sameRules(want: NftTable, found: NftTable): boolean {
  if (want.family !== found.family) return false;
  return shape(want) === shape(found);
}

function shape({ chains, sets }: NftTable): string {
  const declared = sets.map(({ elements: _elements, ...rest }) => rest).toSorted(byName);
  return canonicalJson({ chains, sets: declared });
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

function differences(
  wanted: readonly NftTable[],
  found: readonly NftTable[],
): readonly {
  readonly name: string;
  readonly removed: readonly unknown[];
  readonly added: readonly unknown[];
}[] {
  const before = new Map(found.flatMap(({ sets }) => sets.map((set) => [set.name, set])));
  const after = new Map(wanted.flatMap(({ sets }) => sets.map((set) => [set.name, set])));
  return [...new Set([...before.keys(), ...after.keys()])].map((name) => ({
    name,
    ...listDifference(
      after.get(name)?.elements ?? [],
      before.get(name)?.elements ?? [],
      elementKey,
    ),
  }));
}

/** JSON of most of them takes a third of the time of a plan. */
function elementKey(element: unknown): string {
  const parts = isRecord(element) ? element['concat'] : undefined;
  if (!Array.isArray(parts)) return JSON.stringify(element);
  let key = '.';
  for (const part of parts as readonly unknown[]) {
    if (typeof part === 'string') key += ` ${part}`;
    else if (typeof part === 'number') key += ` #${part}`;
    else return JSON.stringify(element);
  }
  return key;
}
