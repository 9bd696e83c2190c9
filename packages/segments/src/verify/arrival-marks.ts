import type { ArrivalMark, LinkState, NodeState, VniRange } from '../state/node-state.ts';

/** Where frames are that come out of a VXLAN device, and what they bear. */
export interface Arrival {
  readonly vlan: number;
  /** Undefined where it can be any. */
  readonly mark: number | undefined;
}

/** What VXLAN devices of many VNIs take, and what filters at their ingress mark it with. */
export class ArrivalMarks {
  readonly #marks: ReadonlyMap<string, readonly ArrivalMark[]>;
  /** In order of their first. */
  readonly #vnis: ReadonlyMap<string, readonly VniRange[]>;
  /** Devices where somebody else's filters see frames first or last: they may mark them, too. */
  readonly #foreign: ReadonlySet<string>;

  constructor({ arrivals = [], vnis, foreignFilters }: NodeState) {
    const sorted = arrivals.toSorted((a, b) => a.preference - b.preference);
    this.#marks = Map.groupBy(sorted, ({ dev, vni }) => `${dev} ${vni}`);
    this.#vnis = Map.groupBy(
      vnis.toSorted((a, b) => a.first - b.first),
      ({ dev }) => dev,
    );
    this.#foreign = new Set(
      foreignFilters.flatMap(({ dev, direction }) => (direction === 'ingress' ? [dev] : [])),
    );
  }

  /** Whether a device with a list of VNIs takes one. */
  takes(device: string, vni: number): boolean {
    const ranges = this.#vnis.get(device) ?? [];
    let [low, high] = [0, ranges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ranges[middle]?.first ?? 0) <= vni) low = middle + 1;
      else high = middle;
    }
    return (ranges[low - 1]?.last ?? -1) >= vni;
  }

  isForeign(device: string): boolean {
    return this.#foreign.has(device);
  }

  /** Of frames that bring no tag. */
  of(device: LinkState, vni: number, group: number | undefined): readonly (number | undefined)[] {
    const { name, vxlan } = device;
    if (this.#foreign.has(name)) return [undefined];
    if (vxlan?.external !== true) return [group];
    const marks = this.#marks.get(`${name} ${vni}`) ?? [];
    if (group !== undefined) return [marks.find((entry) => entry.group === group)?.mark ?? 0];
    return [...new Set([0, ...marks.map(({ mark }) => mark)])];
  }

  /** Of frames that do: filters of ours ask for none. */
  ofTagged({ name, vxlan }: LinkState, group: number | undefined): number | undefined {
    if (this.#foreign.has(name)) return undefined;
    return vxlan?.external === true ? 0 : group;
  }
}
