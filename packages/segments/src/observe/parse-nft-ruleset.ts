import { defined, isRecord } from '@tapline/base';
import type { NftChain, NftRule, NftRuleset, NftSet, NftTable } from '../state/nft-ruleset.ts';
import { nftSets, nftTableName } from '../compile/nft-tables.ts';
import {
  assertLength,
  type JsonRecord,
  malformed,
  optionalText,
  parseJson,
  recordsOf,
  text,
} from './json-records.ts';

const source = 'nft -j list ruleset';
/** Statements nest (sets of concatenations of prefixes); who evaluates them recurses. */
const maxDepth = 64;

interface TableDraft {
  readonly family: string;
  readonly name: string;
  readonly chains: Map<string, Omit<NftChain, 'rules'> & { readonly rules: NftRule[] }>;
  readonly sets: NftSet[];
}

/** Reads `nft -j list ruleset`: tables, chains and rules in the order in which they are evaluated. */
export function parseNftRuleset(output: string): NftRuleset {
  assertLength(output, source);
  if (output.trim() === '') return { tables: [] };
  const root = parseJson(output, source);
  if (!isRecord(root)) throw malformed(source, 'an object was expected');
  const tables = new Map<string, TableDraft>();
  for (const entry of recordsOf(root['nftables'], source)) addEntry(tables, entry);
  return { tables: [...tables.values()].map(finish) };
}

function addEntry(tables: Map<string, TableDraft>, entry: JsonRecord): void {
  const [kind, value] = Object.entries(entry)[0] ?? [];
  if (kind === undefined || !isRecord(value)) throw malformed(source, 'an entry without content');
  switch (kind) {
    case 'table':
      tables.set(`${text(value, 'family', source)} ${text(value, 'name', source)}`, {
        family: text(value, 'family', source),
        name: text(value, 'name', source),
        chains: new Map(),
        sets: [],
      });
      return;
    case 'chain':
      tableOf(tables, value).chains.set(text(value, 'name', source), readChain(value));
      return;
    case 'rule':
      addRule(tableOf(tables, value), value);
      return;
    case 'set':
    case 'map':
      tableOf(tables, value).sets.push(readSet(kind, value));
      return;
    default:
      // Counters, quotas, flow tables, …: no verdict depends on them but through a rule's statement.
      return;
  }
}

function tableOf(tables: ReadonlyMap<string, TableDraft>, value: JsonRecord): TableDraft {
  const key = `${text(value, 'family', source)} ${text(value, 'table', source)}`;
  const table = tables.get(key);
  if (table === undefined) throw malformed(source, `table ${key} is named before it is listed`);
  return table;
}

function readChain(value: JsonRecord): NftChain & { readonly rules: NftRule[] } {
  const name = text(value, 'name', source);
  const hook = optionalText(value, 'hook', source);
  if (hook === undefined) return { name, rules: [] };
  const policy = optionalText(value, 'policy', source) ?? 'accept';
  const priority = value['prio'];
  if (typeof priority !== 'number' || !Number.isSafeInteger(priority)) {
    throw malformed(source, `chain ${name} has no priority`);
  }
  if (policy !== 'accept' && policy !== 'drop') {
    throw malformed(source, `chain ${name} has the policy ${policy}, neither accept nor drop`);
  }
  const devices = value['dev'];
  return {
    name,
    base: {
      type: text(value, 'type', source),
      hook,
      priority,
      policy,
      ...(devices !== undefined && { devices: [devices].flat().map(asText) }),
    },
    rules: [],
  };
}

function addRule(table: TableDraft, value: JsonRecord): void {
  const name = text(value, 'chain', source);
  const chain = table.chains.get(name);
  if (chain === undefined) throw malformed(source, `chain ${name} is named before it is listed`);
  const statements = value['expr'];
  if (!Array.isArray(statements)) throw malformed(source, `a rule of ${name} has no statements`);
  assertDepth(statements);
  chain.rules.push({ statements });
}

function readSet(kind: NftSet['kind'], value: JsonRecord): NftSet {
  const elements = value['elem'] ?? [];
  if (!Array.isArray(elements)) throw malformed(source, 'elements of a set are not a list');
  assertDepth(elements);
  return {
    name: text(value, 'name', source),
    kind,
    type: [value['type']].flat().map(asText),
    flags: [value['flags'] ?? []].flat().map(asText),
    elements,
    ...defined({ valueType: kind === 'map' ? asText(value['map']) : undefined }),
  };
}

/** Newer versions print some types as objects; whoever reads them knows none of these. */
function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? '');
}

/** By levels, so that hostile nesting does not exhaust the stack. */
function assertDepth(value: unknown): void {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) throw malformed(source, `statements nest deeper than ${maxDepth}`);
    level = level.flatMap((entry) =>
      typeof entry === 'object' && entry !== null ? Object.values(entry) : [],
    );
  }
}

function finish(table: TableDraft): NftTable {
  return {
    family: table.family,
    name: table.name,
    chains: [...table.chains.values()],
    sets: table.sets.map((set) => (isCounting(table, set) ? withoutCounts(set) : set)),
  };
}

/** Whether rules only write into it, how often they met something. */
function isCounting({ family, name, chains }: TableDraft, set: NftSet): boolean {
  const ours = name === nftTableName && family === 'bridge';
  if (!ours || !nftSets.some((known) => known.counts === true && known.name === set.name)) {
    return false;
  }
  const read = [...chains.values()].some(({ rules }) =>
    rules.some(({ statements }) =>
      statements.some(
        (statement) =>
          !(isRecord(statement) && isRecord(statement['set'])) &&
          JSON.stringify(statement).includes(`"@${set.name}"`),
      ),
    ),
  );
  return !read;
}

/** Newer versions of nft say that it is dynamic. */
function withoutCounts(set: NftSet): NftSet {
  return { ...set, flags: [], elements: [] };
}
