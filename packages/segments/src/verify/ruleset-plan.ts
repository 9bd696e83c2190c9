import { isRecord } from '@tapline/base';
import type { NftRuleset, NftSet, NftTable } from '../state/nft-ruleset.ts';
import { type Expression, readExpressions } from './nft-expression.ts';

/** By what the elements of a set belong to one segment. */
export interface SetPlan {
  readonly set: NftSet;
  readonly by: 'device' | 'vni';
  /** Of that part of the key. */
  readonly position: number;
  /** How many parts a key has. */
  readonly parts: number;
}

/** What of a ruleset is of all segments, and what of one. */
export interface RulesetPlan {
  readonly sliced: readonly SetPlan[];
  /** Everything else that frames are decided by; equal texts decide equally. */
  readonly shared: string;
  /** Texts that the shared part names: what a segment calls so is not like another's. */
  readonly literals: ReadonlySet<string>;
  /** Beginnings of names that it asks for. */
  readonly prefixes: readonly string[];
  /** Something in it depends on a name in another way: no segment here is like another. */
  readonly odd: boolean;
}

const families: ReadonlySet<string> = new Set(['bridge', 'netdev', 'arp', 'inet', 'ip', 'ip6']);
const vni = '@th,96,24';
/** Digits of a MAC, an address or a number: names of interfaces have others, too. */
const digitsOnly = /^[0-9a-fx:.]*$/;

/** `refused` are sets whose elements turned out not to be of one segment each. */
export function planRuleset(
  { tables }: NftRuleset,
  refused: ReadonlySet<NftSet> = new Set(),
): RulesetPlan {
  const sliced: SetPlan[] = [];
  const shared: unknown[] = [];
  const walked = new Walk();
  for (const table of tables) {
    if (!families.has(table.family)) continue;
    const uses = usesOf(table);
    const sets = table.sets.flatMap((set): unknown[] => {
      const plan = refused.has(set) ? 'shared' : planSet(table, set, uses.get(set.name) ?? []);
      if (plan === 'unused') return [];
      if (plan !== 'shared') {
        sliced.push(plan);
        return [[set.name, set.kind, plan.position, plan.parts]];
      }
      walked.visit(set.elements);
      walked.noteRanges(uses.get(set.name), set.elements);
      return [[set.name, set.kind, set.elements]];
    });
    walked.visit(table.chains);
    shared.push([table.family, table.name, table.chains, sets]);
  }
  const prefixes = [...walked.literals].flatMap((text) =>
    text.endsWith('*') && text !== '*' ? [text.slice(0, -1)] : [],
  );
  return {
    sliced,
    shared: JSON.stringify(shared),
    literals: walked.literals,
    prefixes,
    odd: walked.ranged || prefixes.some((text) => digitsOnly.test(text)) || prefixes.length > 20,
  };
}

/** All texts and numbers, and whether a range is among them that a number of a segment can be in. */
class Walk {
  readonly literals = new Set<string>();
  ranged = false;

  visit(value: unknown): void {
    if (typeof value === 'string' || typeof value === 'number') this.literals.add(String(value));
    else if (Array.isArray(value)) for (const entry of value) this.visit(entry);
    else if (isRecord(value)) {
      if (Array.isArray(value['statements'])) {
        for (const statement of value['statements']) this.noteRanges(statement);
      }
      for (const entry of Object.values(value)) this.visit(entry);
    }
  }

  /** Of ports and lengths there are ranges, too; no segment calls anything so. */
  noteRanges(...about: readonly unknown[]): void {
    const text = JSON.stringify(about);
    this.ranged ||= /"base"|"key":"@/.test(text) && text.includes('"range"');
  }
}

/** How the rules of a table look its sets up. */
function usesOf(table: NftTable): ReadonlyMap<string, readonly (readonly Expression[])[]> {
  const uses = new Map<string, (readonly Expression[])[]>();
  function note(left: unknown, right: unknown): void {
    if (typeof right !== 'string' || !right.startsWith('@')) return;
    const name = right.slice(1);
    const known = uses.get(name);
    if (known === undefined) uses.set(name, [readExpressions(left)]);
    else known.push(readExpressions(left));
  }
  for (const { rules } of table.chains) {
    for (const { statements } of rules) {
      for (const statement of statements) {
        if (!isRecord(statement)) continue;
        const { match, vmap, mangle } = statement;
        if (isRecord(match)) note(match['left'], match['right']);
        if (isRecord(vmap)) note(vmap['key'], vmap['data']);
        const given = isRecord(mangle) ? mangle['value'] : undefined;
        const map = isRecord(given) ? given['map'] : undefined;
        if (isRecord(map)) note(map['key'], map['data']);
      }
    }
  }
  return uses;
}

function planSet(
  { family, chains }: NftTable,
  set: NftSet,
  uses: readonly (readonly Expression[])[],
): SetPlan | 'unused' | 'shared' {
  const [first] = uses;
  if (first === undefined) return 'unused';
  const parts = first.length;
  if (uses.some((use) => use.length !== parts)) return 'shared';
  const bridged = family === 'bridge' || family === 'netdev' || family === 'arp';
  // Chains of inet at a device see frames whose VNI is not known.
  if (!bridged && chains.some(({ base }) => base?.devices !== undefined)) return 'shared';
  const by = bridged ? 'device' : 'vni';
  const position = first.findIndex((_, at) =>
    uses.every((use) => {
      const expression = use[at];
      if (by === 'device') return expression?.kind === 'iif' || expression?.kind === 'oif';
      return expression?.kind === 'field' && expression.key === vni;
    }),
  );
  return position < 0 ? 'shared' : { set, by, position, parts };
}
