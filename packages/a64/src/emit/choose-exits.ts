import { type Resources, sameResources, union } from './resource.ts';

/** Ways out of a function that store just what has to be; further ones share the last. */
const mostExits = 12;

interface Wanted {
  readonly set: Resources;
  count: number;
}

/** Counts which sets are needed where a function may be left; sets that are alike are one object. */
export class ExitChoice {
  readonly #byHash: Map<number, Wanted[]> = new Map();

  /** The object that stands for all sets that are like this one. */
  need(set: Resources): Resources {
    const hash = hashOf(set);
    let alike = this.#byHash.get(hash);
    if (alike === undefined) this.#byHash.set(hash, (alike = []));
    for (const known of alike) {
      if (!sameResources(known.set, set)) continue;
      known.count++;
      return known.set;
    }
    alike.push({ set, count: 1 });
    return set;
  }

  /** What is needed most often has a way out of its own. */
  choose(): { readonly exits: readonly Resources[]; readonly exitOf: (set: Resources) => number } {
    const byCount = [...this.#byHash.values()].flat().toSorted((a, b) => b.count - a.count);
    const sets = byCount.map(({ set }) => set);
    const rest = sets.slice(mostExits);
    const own = sets.slice(0, mostExits);
    const exits = rest.length === 0 ? own : [...own, rest.reduce(union)];
    const numbers = new Map(own.map((set, at) => [set, at]));
    const exitOf = (set: Resources): number => {
      const known = numbers.get(set);
      if (known !== undefined) return known;
      const found = own.findIndex((each) => sameResources(each, set));
      return found < 0 ? exits.length - 1 : found;
    };
    return { exits, exitOf };
  }
}

function hashOf({ general, other, vector }: Resources): number {
  return Math.imul(general, 31) ^ Math.imul(vector, 0x01000193) ^ other;
}
