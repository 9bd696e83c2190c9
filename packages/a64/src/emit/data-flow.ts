import type { ControlFlow } from './control-flow.ts';
import { successorsOf } from './control-flow.ts';
import type { GuestBlock, PlacedInstruction } from './guest-block.ts';
import { registerEffects } from './register-effects.ts';
import { noResources, resource, resourceBit, type Resources, resourcesOf } from './resource.ts';
import { usesFloat } from './uses-float.ts';

/** Ways out of a function that store just what has to be; further ones share the last. */
const mostExits = 12;
const fuel = resourceBit(resource.fuel);
const flags = resourceBit(resource.flags);
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
  const { reads, writes, readsFlags, writesFlags } = registerEffects(placed.instruction);
  return {
    placed,
    reads: resourcesOf(reads) | (readsFlags ? flags : noResources),
    writes: resourcesOf(writes) | (writesFlags ? flags : noResources),
    call: isCall(placed),
  };
}

/** Dirty is what was written since the state was stored; live is what will be read from a local. */
export function dataFlow(flow: ControlFlow, entry: GuestBlock): DataFlow {
  const blocks = flow.order.map((block) => ({
    block,
    effects: block.instructions.map(effectsOf),
    header: flow.headers.has(flow.positions.get(block.pc) ?? -1),
  }));
  const all = blocks.flatMap(({ block }) => block.instructions);
  const costsFuel =
    all.some(isCall) ||
    blocks.some(({ block }) => leaves(block, flow)) ||
    all.some(
      ({ instruction }) => instruction.kind === 'branch-register' && instruction.op === 'br',
    );
  const float = all.some(({ instruction }) => usesFloat(instruction));
  const dirtyBefore = new Map<number, Resources>();
  const dirtyAtStart = new Map<number, Resources>([[entry.pc, costsFuel ? fuel : noResources]]);
  const dirtyAtEnd = new Map<number, Resources>();
  for (let changed = true; changed;) {
    changed = false;
    for (const { block, effects, header } of blocks) {
      let dirty = (dirtyAtStart.get(block.pc) ?? noResources) | (header ? fuel : noResources);
      for (const { placed, writes, call } of effects) {
        dirtyBefore.set(placed.pc, dirty);
        dirty = call ? noResources : dirty | writes;
      }
      dirtyAtEnd.set(block.pc, dirty);
      for (const target of successorsOf(block)) {
        const before = dirtyAtStart.get(target) ?? noResources;
        if ((before | dirty) === before && dirtyAtStart.has(target)) continue;
        dirtyAtStart.set(target, before | dirty);
        changed = true;
      }
    }
  }
  const { exits, exitOf } = chooseExits([
    ...dirtyBefore.values(),
    ...dirtyAtEnd.values(),
    ...blocks
      .filter(({ header }) => header)
      .map(({ block }) => (dirtyAtStart.get(block.pc) ?? noResources) | fuel),
  ]);
  const stored = (dirty: Resources): Resources => exits[exitOf(dirty)] ?? noResources;
  const live = new Map<number, Resources>();
  const afterCall = new Map<number, Resources>();
  for (let changed = true; changed;) {
    changed = false;
    for (const { block, effects, header } of blocks.toReversed()) {
      const end = dirtyAtEnd.get(block.pc) ?? noResources;
      let now = stored(end);
      for (const target of successorsOf(block)) now |= live.get(target) ?? noResources;
      for (const { placed, reads, writes, call } of effects.toReversed()) {
        const dirty = dirtyBefore.get(placed.pc) ?? noResources;
        if (call) {
          afterCall.set(placed.pc, now);
          now = (placed.instruction.kind === 'exception' ? dirty : dirty & ~link) | reads;
        } else now = (now & ~writes) | reads;
        now |= stored(dirty);
      }
      if (header) now |= fuel | stored((dirtyAtStart.get(block.pc) ?? noResources) | fuel);
      if (live.get(block.pc) === now) continue;
      live.set(block.pc, now);
      changed = true;
    }
  }
  return {
    entry: (live.get(entry.pc) ?? noResources) | (costsFuel ? fuel : noResources),
    dirtyBefore,
    dirtyAtStart,
    dirtyAtEnd,
    afterCall,
    exits,
    exitOf,
    usesFloat: float,
    usesVectors:
      float ||
      blocks.some(({ effects }) =>
        effects.some(({ reads, writes }) => (reads | writes) >> BigInt(resource.vector) !== 0n),
      ),
    costsFuel,
  };
}

/** Whether it goes on in another function, or in one that begins in the middle of this. */
function leaves(block: GuestBlock, { positions, headers }: ControlFlow): boolean {
  const from = positions.get(block.pc) ?? 0;
  return successorsOf(block).some((target) => {
    const to = positions.get(target);
    return to === undefined || (to <= from && !headers.has(to));
  });
}

/** What is needed most often has a way out of its own. */
function chooseExits(needed: readonly Resources[]): {
  readonly exits: readonly Resources[];
  readonly exitOf: (dirty: Resources) => number;
} {
  const counts = new Map<Resources, number>();
  for (const set of needed) counts.set(set, (counts.get(set) ?? 0) + 1);
  const byCount = [...counts].toSorted(([, a], [, b]) => b - a).map(([set]) => set);
  const own = byCount.slice(0, mostExits);
  const rest = byCount.slice(mostExits);
  const exits = rest.length === 0 ? own : [...own, rest.reduce((a, b) => a | b)];
  const numbers = new Map(own.map((set, at) => [set, at]));
  return { exits, exitOf: (dirty) => numbers.get(dirty) ?? exits.length - 1 };
}
