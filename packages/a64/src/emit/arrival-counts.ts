/** Places that are counted; a program that goes to more is not hot anywhere. */
const mostPlaces = 100_000;
/** Places that one BR may be known to go to. */
const mostTargets = 512;
/** How much hotter a place has to be that is part of a function already. */
const coveredFactor = 16;

/** How often places were come to other than from the instruction before them, and by which BR. */
export class ArrivalCounts {
  readonly #hotAfter: number;
  readonly #counts: Map<number, number> = new Map();
  readonly #branches: Map<number, Set<number>> = new Map();
  readonly #targets: Set<number> = new Set();
  readonly #begun: Set<number> = new Set();
  /** Parts of functions with tables of branches, which need no function of their own. */
  readonly #covered: Set<number> = new Set();

  constructor(hotAfter: number) {
    this.#hotAfter = hotAfter;
  }

  /**
   * Counts; where a place has become hot, it is said what to translate. What is nearly hot is
   * translated with it, as modules cost by their number.
   */
  arrive(pc: number): readonly number[] | undefined {
    const count = (this.#counts.get(pc) ?? 0) + 1;
    if (this.#counts.size >= mostPlaces) this.#counts.clear();
    this.#counts.set(pc, count);
    if (count < this.#hotAfter * (this.#covered.has(pc) ? coveredFactor : 1)) return undefined;
    const batch: number[] = [];
    for (const [place, times] of this.#counts) {
      const nearly = times * 4 >= this.#hotAfter && !this.#targets.has(place);
      if (place !== pc && !nearly) continue;
      batch.push(place);
      this.#counts.delete(place);
    }
    return batch;
  }

  /** A place that a function begins at, or that was come to from outside: it need not be hot. */
  begin(pc: number): void {
    if (this.#begun.size < mostPlaces) this.#begun.add(pc);
  }

  /** All places that functions begin at; they are noted anew. */
  takeBegun(): readonly number[] {
    const places = [...this.#begun];
    this.#begun.clear();
    return places;
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
}
