import { continues, type Region, sliceRegion } from './region.ts';

/** Regions in the order of their addresses, none over another. */
export class RegionList {
  #regions: readonly Region[] = [];

  all(): readonly Region[] {
    return this.#regions;
  }

  at(address: number): Region | undefined {
    return this.#regions[this.#indexAt(address)];
  }

  /** What of the regions is between two addresses. */
  within(start: number, end: number): readonly Region[] {
    const found: Region[] = [];
    for (let index = this.#firstEndingAfter(start); index < this.#regions.length; index++) {
      const region = this.#regions[index];
      if (region === undefined || region.start >= end) break;
      found.push(sliceRegion(region, Math.max(region.start, start), Math.min(region.end, end)));
    }
    return found;
  }

  /** Replaces what is between two addresses; neighbours that are alike become one. */
  replace(range: { readonly start: number; readonly end: number }, by: readonly Region[]): void {
    const { start, end } = range;
    const first = this.#firstEndingAfter(start);
    let last = first;
    const kept: Region[] = [];
    const after: Region[] = [];
    for (; last < this.#regions.length; last++) {
      const region = this.#regions[last];
      if (region === undefined || region.start >= end) break;
      if (region.start < start) kept.push(sliceRegion(region, region.start, start));
      if (region.end > end) after.push(sliceRegion(region, end, region.end));
    }
    const before = this.#regions.slice(0, first);
    const merged: Region[] = [];
    for (const region of [
      ...before.slice(-1),
      ...kept,
      ...by,
      ...after,
      ...this.#regions.slice(last, last + 1),
    ]) {
      const previous = merged.at(-1);
      if (previous !== undefined && continues(previous, region)) {
        merged[merged.length - 1] = { ...previous, end: region.end };
      } else merged.push(region);
    }
    this.#regions = [...before.slice(0, -1), ...merged, ...this.#regions.slice(last + 1)];
  }

  /** The highest free place of this size below `top` and not below `bottom`. */
  findFree(
    length: number,
    range: { readonly bottom: number; readonly top: number },
  ): number | undefined {
    let ceiling = range.top;
    for (let index = this.#regions.length - 1; index >= 0; index--) {
      const region = this.#regions[index];
      if (region === undefined || region.start >= range.top) continue;
      if (region.end <= ceiling - length) break;
      ceiling = Math.min(ceiling, region.start);
    }
    return ceiling - length >= range.bottom ? ceiling - length : undefined;
  }

  isFree(start: number, end: number): boolean {
    const next = this.#regions[this.#firstEndingAfter(start)];
    return next === undefined || next.start >= end;
  }

  #indexAt(address: number): number {
    const index = this.#firstEndingAfter(address);
    const region = this.#regions[index];
    return region !== undefined && region.start <= address ? index : -1;
  }

  #firstEndingAfter(address: number): number {
    let low = 0;
    let high = this.#regions.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#regions[middle]?.end ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
