import { type GuestBlock, switchPlace } from './guest-block.ts';

/** Blocks in an order in which, but for loops, each comes after those that lead to it. */
export interface ControlFlow {
  readonly order: readonly GuestBlock[];
  /** The place of a block in it, by its address. */
  readonly positions: ReadonlyMap<number, number>;
  /** The place of a block's immediate dominator; of the first block its own. */
  readonly dominators: readonly number[];
  /** Places that loops go back to. */
  readonly headers: ReadonlySet<number>;
  /** Places with two or more ways in, those of loops back left out. */
  readonly merges: ReadonlySet<number>;
}

export function successorsOf(block: GuestBlock): readonly number[] {
  switch (block.end.kind) {
    case 'jump':
      return [block.end.to];
    case 'branch':
      return [block.end.taken, block.end.next];
    case 'indirect':
      return block.end.known ? [switchPlace] : [];
    case 'switch':
      return block.end.targets;
    case 'interpret':
      return [];
  }
}

/** Orders blocks and finds loops. Cooper, Harvey, Kennedy: "A simple, fast dominance algorithm". */
export function controlFlow(
  blocks: ReadonlyMap<number, GuestBlock>,
  entry: GuestBlock,
): ControlFlow {
  const order = reversePostorder(blocks, entry);
  const positions = new Map(order.map((block, index) => [block.pc, index]));
  const predecessors: number[][] = order.map(() => []);
  for (const [index, block] of order.entries()) {
    for (const target of new Set(successorsOf(block))) {
      const to = positions.get(target);
      if (to !== undefined) predecessors[to]?.push(index);
    }
  }
  const dominators = findDominators(predecessors);
  const headers = new Set<number>();
  const merges = new Set<number>();
  for (const [index, from] of predecessors.entries()) {
    const back = from.filter((each) => each >= index);
    if (back.some((each) => dominates(index, each, dominators))) headers.add(index);
    const ahead = from.filter((each) => each < index);
    // What a table branches to is not written where it is branched to.
    const switched = ahead.some((each) => order[each]?.pc === switchPlace);
    if (ahead.length > 1 || switched) merges.add(index);
  }
  return { order, positions, dominators, headers, merges };
}

export function dominates(a: number, b: number, dominators: readonly number[]): boolean {
  let at = b;
  while (at > a) at = dominators[at] ?? 0;
  return at === a;
}

function reversePostorder(
  blocks: ReadonlyMap<number, GuestBlock>,
  entry: GuestBlock,
): readonly GuestBlock[] {
  const seen = new Set([entry.pc]);
  const done: GuestBlock[] = [];
  const path: { readonly block: GuestBlock; readonly left: number[] }[] = [
    { block: entry, left: [...successorsOf(entry)] },
  ];
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const target = top.left.pop();
    if (target === undefined) {
      done.push(top.block);
      path.pop();
      continue;
    }
    const next = blocks.get(target);
    if (next === undefined || seen.has(target)) continue;
    seen.add(target);
    path.push({ block: next, left: [...successorsOf(next)] });
  }
  return done.toReversed();
}

function findDominators(predecessors: readonly (readonly number[])[]): readonly number[] {
  const dominators: (number | undefined)[] = predecessors.map(() => undefined);
  dominators[0] = 0;
  const meet = (first: number, second: number): number => {
    let [a, b] = [first, second];
    while (a !== b) {
      if (a > b) a = dominators[a] ?? 0;
      else b = dominators[b] ?? 0;
    }
    return a;
  };
  for (let changed = true; changed;) {
    changed = false;
    for (let index = 1; index < predecessors.length; index++) {
      const known = (predecessors[index] ?? []).filter((from) => dominators[from] !== undefined);
      const dominator = known.reduce(meet);
      if (dominators[index] !== dominator) {
        dominators[index] = dominator;
        changed = true;
      }
    }
  }
  return dominators.map((dominator) => dominator ?? 0);
}
