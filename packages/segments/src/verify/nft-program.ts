import { isRecord } from '@tapline/base';
import type { NftChain, NftRuleset, NftTable } from '../state/nft-ruleset.ts';
import { ElementIndex, rightOf } from './element-index.ts';
import { fieldOf, type Frame, type Reason } from './frame.ts';
import { classify, type InterfaceTest } from './interface-class.ts';
import { lookUp } from './look-up.ts';
import { isSkipped, pastNetfilter } from './past-netfilter.ts';
import { type Expression, readExpressions } from './nft-expression.ts';

/** The chains of one hook, in order of their priority; a drop is final. */
export interface HookProgram {
  /** What they let pass. */
  run(frame: Frame): readonly Frame[];
  /**
   * Equal for interfaces of arrival that no rule can tell apart: the same literals match them, and
   * none is in a set that a rule looks them up in.
   */
  classOf(device: string): string;
  /** Whether any rule looks at more than interfaces and marks. */
  readonly readsFields: boolean;
}

/** What was found out about rules while they were compiled. */
interface Notes {
  readonly tests: InterfaceTest[];
  readsFields: boolean;
}

/** Where a statement's frames go. */
interface Flow {
  /** To the next statement. */
  readonly next: Frame[];
  /** To the next rule. */
  readonly skip: Frame[];
  /** Out of the base chain, accepted. */
  readonly accepted: Frame[];
  /** Back to the calling chain. */
  readonly returned: Frame[];
}

type Statement = (frame: Frame, flow: Flow, depth: number) => void;
interface Chain {
  readonly rules: readonly (readonly Statement[])[];
}

/** More sets of frames than this are thrown together: what is known of their fields is forgotten. */
const maxFrames = 256;
/** Of Ethernet; from here on it is a type. */
const lengths = 0x600;
/** NFT_JUMP_STACK_SIZE of the kernel is 16. */
const maxDepth = 16;

/** Statements after which a frame goes on as if they were not there. */
const harmless = new Set(['counter', 'log', 'comment', 'notrack', 'xt']);
/** Statements that only sometimes let the rule go on: frames take both ways. */
const conditional = new Set(['limit', 'quota', 'ct count', 'connlimit', 'set', 'map', 'last']);

/**
 * The programs of a family's hook. A statement that is not known here is taken for the worst: the
 * frame may pass with any mark, and the rule may as well not be there.
 */
export function compileHook(
  ruleset: NftRuleset,
  families: readonly string[],
  hook: string,
  device?: string,
): HookProgram {
  const bases = ruleset.tables
    .filter((table) => families.includes(table.family))
    .flatMap((table) =>
      table.chains
        .filter(
          ({ base }) =>
            base?.hook === hook &&
            (device === undefined || base.devices?.includes(device) === true),
        )
        .map((chain) => ({ table, chain, priority: chain.base?.priority ?? 0 })),
    )
    .toSorted((a, b) => a.priority - b.priority);
  const notes: Notes = { tests: [], readsFields: false };
  const programs = bases.map(({ table, chain, priority }) => {
    const program = compileBase(table, chain, notes);
    if (!families.includes('bridge') || !isSkipped(hook, priority)) return program;
    notes.readsFields = true;
    return (frame: Frame) => [...program(frame), ...pastNetfilter(frame)];
  });
  return {
    run(frame) {
      let frames: readonly Frame[] = [frame];
      for (const program of programs) frames = merge(frames.flatMap((entry) => program(entry)));
      return frames;
    },
    classOf: (name) => notes.tests.map((entry) => classify(entry, name)).join(','),
    readsFields: notes.readsFields,
  };
}

function compileBase(
  table: NftTable,
  chain: NftChain,
  notes: Notes,
): (frame: Frame) => readonly Frame[] {
  const chains = new TableChains(table, notes);
  const compiled = chains.get(chain.name);
  const open = chain.base?.policy !== 'drop';
  const policy: Reason = { ...reasonOf(table, chain.name), rule: 0 };
  return (frame) => {
    const accepted: Frame[] = [];
    const ended = compiled === undefined ? [frame] : runChain(compiled, [frame], accepted, 0);
    if (open) accepted.push(...ended.map((entry) => ({ ...entry, by: policy })));
    return accepted;
  };
}

/** Chains of a table, compiled when they are first needed: they may jump to each other. */
class TableChains {
  readonly #table: NftTable;
  readonly #compiled = new Map<string, Chain>();
  readonly #sets = new Map<string, ElementIndex>();
  readonly #notes: Notes;

  constructor(table: NftTable, notes: Notes) {
    this.#table = table;
    this.#notes = notes;
  }

  /** Takes note of what a rule looks at. */
  note(expressions: readonly Expression[], index: ElementIndex): void {
    for (const [position, { kind }] of expressions.entries()) {
      if (kind === 'iif') this.#notes.tests.push({ index, position });
      else if (kind === 'field') this.#notes.readsFields = true;
    }
  }

  get(name: string): Chain | undefined {
    const known = this.#compiled.get(name);
    if (known !== undefined) return known;
    const chain = this.#table.chains.find((entry) => entry.name === name);
    if (chain === undefined) return undefined;
    const reason = reasonOf(this.#table, name);
    const rules: Statement[][] = [];
    // Before its rules are compiled: they may jump in a circle, which the kernel refuses.
    this.#compiled.set(name, { rules });
    for (const [index, { statements }] of chain.rules.entries()) {
      const why = { ...reason, rule: index + 1 };
      rules.push(
        statements.map((statement, at) =>
          // Whether a rule goes on behind its last statement is the same to every frame.
          at === statements.length - 1 && isConditional(statement)
            ? (frame, flow) => void flow.next.push(frame)
            : compileStatement(statement, why, this),
        ),
      );
    }
    return { rules };
  }

  set(name: string): ElementIndex | undefined {
    const known = this.#sets.get(name);
    if (known !== undefined) return known;
    const set = this.#table.sets.find((entry) => entry.name === name);
    if (set === undefined) return undefined;
    const index = new ElementIndex(set.elements, set.kind === 'map');
    this.#sets.set(name, index);
    return index;
  }
}

function reasonOf(table: NftTable, chain: string): Reason {
  return { family: table.family, table: table.name, chain, rule: 0 };
}

/** Returns the frames that reach the chain's end, or return from it. */
function runChain(
  chain: Chain,
  frames: readonly Frame[],
  accepted: Frame[],
  depth: number,
): readonly Frame[] {
  const returned: Frame[] = [];
  let here = frames;
  for (const statements of chain.rules) {
    if (here.length === 0) break;
    const skip: Frame[] = [];
    let now = here;
    for (const statement of statements) {
      if (now.length === 0) break;
      const flow: Flow = { next: [], skip, accepted, returned };
      for (const frame of now) statement(frame, flow, depth);
      now = flow.next;
    }
    here = merge(now.length === 0 ? skip : [...skip, ...now]);
  }
  return returned.length === 0 ? here : [...here, ...returned];
}

function merge(frames: readonly Frame[]): readonly Frame[] {
  if (frames.length <= maxFrames) return frames;
  const byMark = new Map(
    frames.map((frame) => [frame.mark, { ...frame, fields: undefined, loose: true }]),
  );
  return [...byMark.values()];
}

function compileStatement(statement: unknown, why: Reason, chains: TableChains): Statement {
  const [kind, value] = isRecord(statement) ? (Object.entries(statement)[0] ?? []) : [];
  if (kind === undefined || harmless.has(kind)) return (frame, flow) => void flow.next.push(frame);
  if (conditional.has(kind)) {
    return bothWays;
  }
  const verdict = compileVerdict(kind, value, why, chains);
  if (verdict !== undefined) return verdict;
  if (kind === 'match' && isRecord(value)) return compileMatch(value, chains);
  if (kind === 'mangle' && isRecord(value)) return compileMangle(value, why, chains);
  if (kind === 'vmap' && isRecord(value)) return compileVerdictMap(value, why, chains);
  return worst(why);
}

function isConditional(statement: unknown): boolean {
  return isRecord(statement) && conditional.has(Object.keys(statement)[0] ?? '');
}

/** Into the rest of the rule and past it, as it is not known which. */
function bothWays(frame: Frame, flow: Flow): void {
  flow.next.push({ ...frame, loose: true });
  flow.skip.push({ ...frame, loose: true });
}

function worst(why: Reason): Statement {
  return (frame, flow) => {
    const any = { ...frame, mark: undefined, fields: undefined, by: why, loose: true };
    flow.accepted.push(any);
    bothWays(frame, flow);
  };
}

function compileVerdict(
  kind: string,
  value: unknown,
  why: Reason,
  chains: TableChains,
): Statement | undefined {
  switch (kind) {
    case 'accept':
      return (frame, flow) => void flow.accepted.push({ ...frame, by: why });
    case 'drop':
    case 'reject':
      return () => undefined;
    case 'return':
      return (frame, flow) => void flow.returned.push(frame);
    case 'continue':
      return (frame, flow) => void flow.next.push(frame);
    case 'jump':
    case 'goto': {
      const target = isRecord(value) ? String(value['target']) : '';
      chains.get(target);
      return (frame, flow, depth) => {
        const chain = chains.get(target);
        if (chain === undefined || depth >= maxDepth) {
          worst(why)(frame, flow, depth);
          return;
        }
        const back = runChain(chain, [frame], flow.accepted, depth + 1);
        (kind === 'jump' ? flow.next : flow.returned).push(...back);
      };
    }
    default:
      return undefined;
  }
}

function compileMatch(value: Readonly<Record<string, unknown>>, chains: TableChains): Statement {
  const { op, left, right } = value;
  const expressions = readExpressions(left);
  const [first] = expressions;
  const isLength = op === '<' && expressions.length === 1 && first?.kind === 'field';
  if (isLength && first.key === 'protocol' && typeof right === 'number' && right <= lengths) {
    return (frame, flow) => splitLengths(frame, right, flow);
  }
  const index = indexOf(right, chains, false);
  const known = (op === '==' || op === '!=') && index !== undefined;
  if (!known || expressions.some(({ kind }) => kind === 'opaque')) {
    return bothWays;
  }
  chains.note(expressions, index);
  if (op === '==') {
    return (frame, flow) => {
      const { found, missed } = lookUp(frame, expressions, index);
      for (const hit of found) flow.next.push(hit.frame);
      flow.skip.push(...missed);
    };
  }
  // What lacks the field (an IPv6 packet's IPv4 source) does not match `!=` either.
  return (frame, flow) => {
    for (const part of bearing(frame, expressions, flow.skip)) {
      const { found, missed } = lookUp(part, expressions, index);
      for (const hit of found) flow.skip.push(hit.frame);
      flow.next.push(...missed);
    }
  };
}

/**
 * A type below 0x600 is a length (IEEE Std 802.3 §3.2.6). All types with a name are above, so that
 * nothing is lost of what else is known of the frames that are not below.
 */
function splitLengths(frame: Frame, limit: number, { next, skip }: Flow): void {
  const type = fieldOf(frame, 'protocol');
  const values = type === undefined || type.without ? undefined : type.values;
  // Of names Number makes NaN, which is not below.
  const below = values?.filter((value) => Number(value) < limit).length;
  if (below !== 0) next.push({ ...frame, loose: true });
  if (below === undefined || below < (values?.length ?? 0)) skip.push(frame);
}

/** The frames that have all the fields; the others are skipped. */
function bearing(
  frame: Frame,
  expressions: readonly Expression[],
  skip: Frame[],
): readonly Frame[] {
  const needed = expressions.filter((entry) => entry.kind === 'field' && entry.needs.length > 0);
  if (needed.length === 0) return [frame];
  const everything = new ElementIndex([{ concat: needed.map(() => '*') }], false);
  const { found, missed } = lookUp(frame, needed, everything);
  skip.push(...missed);
  return found.map((hit) => hit.frame);
}

function indexOf(right: unknown, chains: TableChains, isMap: boolean): ElementIndex | undefined {
  if (typeof right === 'string' && right.startsWith('@')) return chains.set(right.slice(1));
  if (!isMap) return new ElementIndex(rightOf(right), false);
  const set = isRecord(right) ? right['set'] : undefined;
  return Array.isArray(set) ? new ElementIndex(set, true) : undefined;
}

function compileMangle(
  value: Readonly<Record<string, unknown>>,
  why: Reason,
  chains: TableChains,
): Statement {
  const key = isRecord(value['key']) ? value['key']['meta'] : undefined;
  const target = isRecord(key) ? key['key'] : undefined;
  const given = value['value'];
  if (target === 'nftrace' || target === 'priority') {
    return (frame, flow) => void flow.next.push(frame);
  }
  if (target !== 'mark') return worst(why);
  if (typeof given === 'number') {
    return (frame, flow) => void flow.next.push({ ...frame, mark: given });
  }
  const map = isRecord(given) && isRecord(given['map']) ? given['map'] : undefined;
  const index = map === undefined ? undefined : indexOf(map['data'], chains, true);
  const expressions = readExpressions(map?.['key']);
  if (index === undefined || expressions.some(({ kind }) => kind === 'opaque')) {
    return (frame, flow) => {
      flow.next.push({ ...frame, mark: undefined, loose: true });
      flow.skip.push({ ...frame, loose: true });
    };
  }
  chains.note(expressions, index);
  return (frame, flow) => {
    const { found, missed } = lookUp(frame, expressions, index);
    for (const hit of found) {
      flow.next.push({
        ...hit.frame,
        mark: typeof hit.value === 'number' ? hit.value : undefined,
      });
    }
    flow.skip.push(...missed);
  };
}

function compileVerdictMap(
  value: Readonly<Record<string, unknown>>,
  why: Reason,
  chains: TableChains,
): Statement {
  const expressions = readExpressions(value['key']);
  const index = indexOf(value['data'], chains, true);
  if (index === undefined || expressions.some(({ kind }) => kind === 'opaque')) return worst(why);
  chains.note(expressions, index);
  // Compiled here and not when a frame comes, so that all look-ups are known from the start.
  const verdicts = new Map(
    index.elements.map((element) => [
      JSON.stringify(element.value),
      compileStatement(element.value, why, chains),
    ]),
  );
  return (frame, flow, depth) => {
    const { found, missed } = lookUp(frame, expressions, index);
    flow.skip.push(...missed);
    for (const hit of found) {
      const verdict = verdicts.get(JSON.stringify(hit.value)) ?? worst(why);
      verdict(hit.frame, flow, depth);
    }
  };
}
