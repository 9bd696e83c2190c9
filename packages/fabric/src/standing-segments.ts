import type { CompiledSegment } from '@tapline/segments';
import type { FabricCondition } from './fabric.ts';

/** A `Map`, or what `compileNode` makes. */
interface Segments {
  get(vni: number): CompiledSegment | undefined;
  values(): Iterable<CompiledSegment>;
}

/** Conditions of the segments that stand, kept so that a change of one costs as much as one. */
export class StandingSegments {
  #list: FabricCondition[] = [];
  readonly #places = new Map<number, number>();

  reset(compiled: { readonly segments: Segments }): void {
    this.#list = [];
    this.#places.clear();
    for (const { intent } of compiled.segments.values()) this.#add(intent);
  }

  /** Of these VNIs only; all others are as they were. */
  change({ segments }: { readonly segments: Segments }, touched: ReadonlySet<number>): void {
    for (const vni of touched) {
      this.#remove(vni);
      const segment = segments.get(vni);
      if (segment !== undefined) this.#add(segment.intent);
    }
  }

  list(): readonly FabricCondition[] {
    return this.#list.slice();
  }

  #add({ name, vni }: { readonly name: string; readonly vni: number }): void {
    this.#places.set(vni, this.#list.length);
    const message = `VNI ${vni} stands`;
    this.#list.push({ segment: name, vni, ready: true, reason: 'Applied', message });
  }

  /** The last takes its place. */
  #remove(vni: number): void {
    const place = this.#places.get(vni);
    if (place === undefined) return;
    this.#places.delete(vni);
    const last = this.#list.pop();
    if (last === undefined || place === this.#list.length) return;
    this.#list[place] = last;
    if (last.vni !== undefined) this.#places.set(last.vni, place);
  }
}
