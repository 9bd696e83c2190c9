import { ExitChoice } from './choose-exits.ts';
import type { ControlFlow } from './control-flow.ts';
import { successorsOf } from './control-flow.ts';
import type { GuestBlock, PlacedInstruction } from './guest-block.ts';
import {
  difference,
  noResources,
  resource,
  resourceBit,
  type Resources,
  sameResources,
  union,
} from './resource.ts';
import { usesFloat } from './uses-float.ts';

const fuel = resourceBit(resource.fuel);
const everything: Resources = { general: -1, other: -1, vector: -1 };
/** Registers that a call writes before it calls. */
const link = resourceBit(30);

/** What locals have to be loaded and stored where. */
export interface DataFlow {
  /** Loaded where the function begins. */
  readonly entry: Resources;
  /** What may differ from the state before an instruction, by its address. */
  readonly dirtyBefore: ReadonlyMap<number, Resources>;
  /** The same where a block begins and ends, by its address. */
  readonly dirtyAtStart: ReadonlyMap<number, Resources>;
  readonly dirtyAtEnd: ReadonlyMap<number, Resources>;
  /** Loaded after the call at an address. */
  readonly afterCall: ReadonlyMap<number, Resources>;
  /** What each way out stores. */
  readonly exits: readonly Resources[];
  /** The number of the way out for where this is dirty. */
  readonly exitOf: (dirty: Resources) => number;
  /** Computing with numbers needs vectors, too. */
  readonly usesFloat: boolean;
  readonly usesVectors: boolean;
  /** Whether running it costs fuel: what calls or jumps may do so for ever without a loop. */
  readonly costsFuel: boolean;
}

interface Effects {
  readonly placed: PlacedInstruction;
  readonly reads: Resources;
  readonly writes: Resources;
  readonly call: boolean;
}

/** Whether all has to be in the state, and may have changed afterwards. */
export function isCall({ instruction }: PlacedInstruction): boolean {
  if (instruction.kind === 'exception') return true;
  if (instruction.kind === 'branch') return instruction.link;
  return instruction.kind === 'branch-register' && instruction.op === 'blr';
}

function effectsOf(placed: PlacedInstruction): Effects {
  const { reads, writes } = placed;
  return { placed, reads, writes, call: isCall(placed) };
}

interface FlowBlock {
  readonly block: GuestBlock;
  readonly effects: readonly Effects[];
  readonly header: boolean;
  /** Where it may go on within the function. */
  readonly next: readonly FlowBlock[];
  dirtyAtStart: Resources;
  dirtyAtEnd: Resources;
  /** What is live where it begins is what is live at its end, without these and with those. */
  kills: Resources;
  needs: Resources;
  live: Resources;
}

/**
 * Dirty is what was written since the state was stored; live is what will be read from a local. What a
 * block does to either is found out once, and then only blocks are gone through until nothing changes.
 */
export function dataFlow(flow: ControlFlow, entry: GuestBlock): DataFlow {
  const blocks = flowBlocks(flow);
  const all = blocks.flatMap(({ block }) => block.instructions);
  const costsFuel =
    all.some(isCall) ||
    blocks.some(({ block }) => leaves(block, flow)) ||
    all.some(
      ({ instruction }) => instruction.kind === 'branch-register' && instruction.op === 'br',
    );
  const float = all.some(({ instruction }) => usesFloat(instruction));
  spreadDirty(blocks, costsFuel ? fuel : noResources);
  const choice = new ExitChoice();
  const dirtyBefore = new Map<number, Resources>();
  for (const { dirtyAtStart, effects, header } of blocks) {
    let dirty = header ? union(dirtyAtStart, fuel) : dirtyAtStart;
    if (header) choice.need(dirty);
    for (const { placed, writes, call } of effects) {
      dirtyBefore.set(placed.pc, choice.need(dirty));
      dirty = call ? noResources : union(dirty, writes);
    }
    choice.need(dirty);
  }
  const { exits, exitOf } = choice.choose();
  const stored = (dirty: Resources): Resources => exits[exitOf(dirty)] ?? noResources;
  spreadLive(blocks, { stored, dirtyBefore });
  const first = blocks.find(({ block }) => block.pc === entry.pc);
  return {
    entry: union(first?.live ?? noResources, costsFuel ? fuel : noResources),
    dirtyBefore,
    dirtyAtStart: new Map(blocks.map(({ block, dirtyAtStart }) => [block.pc, dirtyAtStart])),
    dirtyAtEnd: new Map(blocks.map(({ block, dirtyAtEnd }) => [block.pc, dirtyAtEnd])),
    afterCall: liveAfterCalls(blocks, { stored, dirtyBefore }),
    exits,
    exitOf,
    usesFloat: float,
    usesVectors:
      float ||
      blocks.some(({ effects }) =>
        effects.some(({ reads, writes }) => (reads.vector | writes.vector) !== 0),
      ),
    costsFuel,
  };
}

function flowBlocks(flow: ControlFlow): readonly FlowBlock[] {
  const next: FlowBlock[][] = flow.order.map(() => []);
  const blocks = flow.order.map((block, at): FlowBlock => ({
    block,
    effects: block.instructions.map(effectsOf),
    header: flow.headers.has(at),
    next: next[at] ?? [],
    dirtyAtStart: noResources,
    dirtyAtEnd: noResources,
    kills: noResources,
    needs: noResources,
    live: noResources,
  }));
  for (const [at, { block }] of blocks.entries()) {
    for (const target of successorsOf(block)) {
      const to = blocks[flow.positions.get(target) ?? -1];
      if (to !== undefined) next[at]?.push(to);
    }
  }
  return blocks;
}

function spreadDirty(blocks: readonly FlowBlock[], atEntry: Resources): void {
  const [entry] = blocks;
  if (entry !== undefined) entry.dirtyAtStart = atEntry;
  const written = blocks.map(({ effects }) => {
    const call = effects.findLastIndex((each) => each.call);
    const writes = effects
      .slice(call + 1)
      .reduce((all, each) => union(all, each.writes), noResources);
    return { writes, stores: call >= 0 };
  });
  for (let changed = true; changed;) {
    changed = false;
    for (const [at, block] of blocks.entries()) {
      const { writes = noResources, stores = false } = written[at] ?? {};
      const start = block.header ? union(block.dirtyAtStart, fuel) : block.dirtyAtStart;
      block.dirtyAtEnd = stores ? writes : union(start, writes);
      for (const target of block.next) {
        const dirty = union(target.dirtyAtStart, block.dirtyAtEnd);
        if (dirty === target.dirtyAtStart) continue;
        target.dirtyAtStart = dirty;
        changed = true;
      }
    }
  }
}

interface Stores {
  /** What the way out for this stores, which has to be in locals. */
  readonly stored: (dirty: Resources) => Resources;
  readonly dirtyBefore: ReadonlyMap<number, Resources>;
}

function spreadLive(blocks: readonly FlowBlock[], { stored, dirtyBefore }: Stores): void {
  for (const block of blocks) {
    let [kills, needs] = [noResources, stored(block.dirtyAtEnd)];
    for (const each of block.effects.toReversed()) {
      const dirty = dirtyBefore.get(each.placed.pc) ?? noResources;
      if (each.call) {
        kills = everything;
        needs = neededByCall(each, dirty);
      } else {
        kills = union(kills, each.writes);
        needs = union(difference(needs, each.writes), each.reads);
      }
      needs = union(needs, stored(dirty));
    }
    if (block.header) needs = union(needs, union(fuel, stored(union(block.dirtyAtStart, fuel))));
    block.kills = kills;
    block.needs = needs;
  }
  for (let changed = true; changed;) {
    changed = false;
    for (let at = blocks.length - 1; at >= 0; at--) {
      const block = blocks[at];
      if (block === undefined) continue;
      const live = union(difference(liveAtEnd(block), block.kills), block.needs);
      if (sameResources(live, block.live)) continue;
      block.live = live;
      changed = true;
    }
  }
}

function liveAtEnd({ next }: FlowBlock): Resources {
  let live = noResources;
  for (const block of next) live = union(live, block.live);
  return live;
}

/** What has to be stored before it, and what says where it goes. */
function neededByCall({ placed, reads }: Effects, dirty: Resources): Resources {
  return union(placed.instruction.kind === 'exception' ? dirty : difference(dirty, link), reads);
}

function liveAfterCalls(
  blocks: readonly FlowBlock[],
  { stored, dirtyBefore }: Stores,
): ReadonlyMap<number, Resources> {
  const after = new Map<number, Resources>();
  for (const block of blocks) {
    if (!block.effects.some(({ call }) => call)) continue;
    let live = union(liveAtEnd(block), stored(block.dirtyAtEnd));
    for (const each of block.effects.toReversed()) {
      const dirty = dirtyBefore.get(each.placed.pc) ?? noResources;
      if (each.call) {
        after.set(each.placed.pc, live);
        live = neededByCall(each, dirty);
      } else live = union(difference(live, each.writes), each.reads);
      live = union(live, stored(dirty));
    }
  }
  return after;
}

/** Whether it goes on in another function, or in one that begins in the middle of this. */
function leaves(block: GuestBlock, { positions, headers }: ControlFlow): boolean {
  const from = positions.get(block.pc) ?? 0;
  return successorsOf(block).some((target) => {
    const to = positions.get(target);
    return to === undefined || (to <= from && !headers.has(to));
  });
}
