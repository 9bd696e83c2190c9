import { arrivalCalled, machineLayout } from './machine-layout.ts';

/** Branches and places that are remembered; a program that has more is not hot anywhere. */
const mostPlaces = 100_000;
/** Places that one BR may be known to go to. */
const mostTargets = 512;
/** How much hotter a place has to be that is part of a function already. */
const coveredFactor = 16;
/** Less of one program is not worth remembering. */
const fewest = 4;
/** Of hotness: what is translated for who comes after, when it was called. */
const keptShare = 4;

/**
 * How often places were come to by calls, by ways back, and from outside, and where BR went. What
 * runs cold code counts, in the machine's memory.
 */
export class ArrivalCounts {
  readonly #hotAfter: number;
  /** Pairs: the address, and how often. A place that shares its entry with another displaces it. */
  readonly #counts: Uint32Array;
  readonly #branches: Map<number, Set<number>> = new Map();
  readonly #targets: Set<number> = new Set();
  /** Loops of functions, and what their tables of branches lead to: no functions of their own. */
  readonly #covered: Set<number> = new Set();

  /** `buffer` is the machine's memory. */
  constructor(buffer: ArrayBuffer, hotAfter: number) {
    this.#hotAfter = hotAfter;
    const { arrivals, arrivalEntries } = machineLayout;
    this.#counts = new Uint32Array(buffer, arrivals, arrivalEntries * 2);
  }

  /**
   * What to translate where `pc` is hot. Functions that are nearly hot are translated with it, as
   * modules cost by their number; all of it is counted anew.
   */
  takeHot(pc: number): readonly number[] {
    if (this.#covered.has(pc) && this.#countOf(pc) < this.#hotAfter * coveredFactor) return [];
    const nearly = this.#hotAfter / 4;
    const batch = this.#places(
      (place, { count, called }) =>
        place === pc ||
        (called && count >= nearly && !this.#targets.has(place) && !this.#covered.has(place)),
    );
    for (const place of batch) this.#counts[entryOf(place) + 1] = 0;
    return batch;
  }

  /** Whether it is, or has just been. */
  isHot(pc: number): boolean {
    return this.#countOf(pc) >= this.#hotAfter;
  }

  /**
   * Places that functions begin at and that were come to a good deal, but not so often as to be hot;
   * and any that many programs together have made hot, some at once. `visits` adds and says how often
   * all of them came.
   */
  takeWarm(visits: (pc: number, count: number) => number): readonly number[] {
    const least = Math.max(this.#hotAfter / keptShare, 1);
    const counts = this.#counts;
    const warm: number[] = [];
    const often: number[] = [];
    let hot = false;
    for (let at = 0; at < counts.length; at += 2) {
      const number = counts[at + 1] ?? 0;
      const count = number & ~arrivalCalled;
      if (count < fewest) continue;
      const pc = counts[at] ?? 0;
      const called = number >= arrivalCalled;
      if (called && count >= least) warm.push(pc);
      else if (called || !(this.#covered.has(pc) || this.#targets.has(pc))) {
        const all = visits(pc, count);
        if (all >= 2 * this.#hotAfter) hot = true;
        if (all >= this.#hotAfter) often.push(pc);
      }
    }
    counts.fill(0);
    return hot ? [...warm, ...often] : warm;
  }

  learn(branch: number, target: number): void {
    const known = this.#branches.get(branch) ?? new Set();
    if (known.size >= mostTargets || this.#branches.size >= mostPlaces) return;
    this.#branches.set(branch, known.add(target));
    this.#targets.add(target);
  }

  targetsOf(branch: number): readonly number[] {
    return [...(this.#branches.get(branch) ?? [])];
  }

  cover(places: Iterable<number>): void {
    for (const place of places) this.#covered.add(place);
  }

  /** Has the host be asked at the next arrival, as at the first. */
  forget(pc: number): void {
    const at = entryOf(pc);
    if (this.#counts[at] === pc) this.#counts[at] = 0;
  }

  #countOf(pc: number): number {
    const at = entryOf(pc);
    return this.#counts[at] === pc ? (this.#counts[at + 1] ?? 0) & ~arrivalCalled : 0;
  }

  #places(
    wanted: (pc: number, how: { readonly count: number; readonly called: boolean }) => boolean,
  ): readonly number[] {
    const counts = this.#counts;
    const places: number[] = [];
    for (let at = 0; at < counts.length; at += 2) {
      const number = counts[at + 1] ?? 0;
      const pc = counts[at] ?? 0;
      if (number === 0) continue;
      const count = number & ~arrivalCalled;
      if (wanted(pc, { count, called: number >= arrivalCalled })) places.push(pc);
    }
    return places;
  }
}

function entryOf(pc: number): number {
  return ((pc >>> 2) % machineLayout.arrivalEntries) * 2;
}
