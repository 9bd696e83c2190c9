import type { DecodedWords } from './decoded-words.ts';
import {
  type BlockEnd,
  type GuestBlock,
  type PlacedInstruction,
  switchPlace,
} from './guest-block.ts';

/** The word at an address; undefined where there is no code. */
export type ReadWord = (pc: number) => number | undefined;

/** Where the BR at an address has gone to, as far as that is known. */
export type BranchTargets = (pc: number) => readonly number[];

/**
 * The blocks of the function that begins at `entry`: what direct branches reach. After `limit`
 * instructions the rest is left out; branches to it leave the function.
 */
export function findBlocks(
  entry: number,
  how: {
    readonly readWord: ReadWord;
    readonly words: DecodedWords;
    readonly limit: number;
    readonly branchTargets?: BranchTargets;
  },
): ReadonlyMap<number, GuestBlock> {
  const leaders = new Set([entry]);
  const switched = new Set<number>();
  const reached = new Map<number, PlacedInstruction | undefined>();
  const pending = [entry];
  for (let pc = pending.pop(); pc !== undefined; pc = pending.pop()) {
    while (!reached.has(pc) && reached.size < how.limit) {
      const placed = place(pc, how);
      reached.set(pc, placed);
      const end = placed === undefined ? undefined : endOf(placed);
      if (placed === undefined) break;
      if (end === undefined) {
        pc += 4;
        continue;
      }
      const known = end.kind === 'indirect' ? (how.branchTargets?.(pc) ?? []) : [];
      for (const target of known) switched.add(target);
      for (const target of [...targetsOf(end), ...known]) {
        leaders.add(target);
        pending.push(target);
      }
      break;
    }
  }
  const blocks = new Map<number, GuestBlock>();
  for (const leader of leaders) {
    if (!reached.has(leader)) continue;
    const block = makeBlock(leader, { leaders, reached });
    const { end } = block;
    const last = block.instructions.at(-1)?.pc ?? leader;
    const known = end.kind === 'indirect' && (how.branchTargets?.(last) ?? []).length > 0;
    blocks.set(leader, known ? { ...block, end: { kind: 'indirect', known } } : block);
  }
  const targets = [...switched].filter((target) => blocks.has(target));
  if (targets.length > 0) {
    const end = { kind: 'switch', targets } as const;
    blocks.set(switchPlace, { pc: switchPlace, instructions: [], end });
  }
  return blocks;
}

function place(
  pc: number,
  { readWord, words }: { readonly readWord: ReadWord; readonly words: DecodedWords },
): PlacedInstruction | undefined {
  const word = readWord(pc);
  const decoded = word === undefined ? undefined : words.decode(word);
  return decoded === undefined ? undefined : { pc, ...decoded };
}

function makeBlock(
  start: number,
  found: {
    readonly leaders: ReadonlySet<number>;
    readonly reached: ReadonlyMap<number, PlacedInstruction | undefined>;
  },
): GuestBlock {
  const instructions: PlacedInstruction[] = [];
  for (let pc = start; ; pc += 4) {
    if (pc !== start && found.leaders.has(pc)) {
      return { pc: start, instructions, end: { kind: 'jump', to: pc } };
    }
    if (!found.reached.has(pc)) return { pc: start, instructions, end: { kind: 'jump', to: pc } };
    const placed = found.reached.get(pc);
    if (placed === undefined) return { pc: start, instructions, end: { kind: 'interpret', pc } };
    const end = endOf(placed);
    if (end?.kind !== 'interpret') instructions.push(placed);
    if (end !== undefined) return { pc: start, instructions, end };
  }
}

/** Where a block ends, for what ends one. Calls, of the system, too, do not: they come back. */
function endOf({ pc, instruction }: PlacedInstruction): BlockEnd | undefined {
  switch (instruction.kind) {
    case 'branch':
      return instruction.link ? undefined : { kind: 'jump', to: pc + instruction.offset };
    case 'branch-conditional':
      // AL and NV are both always.
      if (instruction.condition >= 14) return { kind: 'jump', to: pc + instruction.offset };
      return { kind: 'branch', taken: pc + instruction.offset, next: pc + 4 };
    case 'compare-branch':
    case 'test-branch':
      return { kind: 'branch', taken: pc + instruction.offset, next: pc + 4 };
    case 'branch-register':
      return instruction.op === 'blr' ? undefined : { kind: 'indirect', known: false };
    case 'exception':
      return instruction.op === 'svc' ? undefined : { kind: 'interpret', pc };
    default:
      return undefined;
  }
}

function targetsOf(end: BlockEnd): readonly number[] {
  switch (end.kind) {
    case 'jump':
      return [end.to];
    case 'branch':
      return [end.taken, end.next];
    case 'switch':
      return end.targets;
    case 'indirect':
    case 'interpret':
      return [];
  }
}
