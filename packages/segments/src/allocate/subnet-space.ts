import { addressBits, type Subnet } from '../address/subnet.ts';

/** Of the addresses below a place: how long the prefix of the largest free block is. */
interface Place {
  readonly children: [Place | undefined, Place | undefined];
  largest: number;
}

/** Nothing below is free. */
const full: Place = { children: [undefined, undefined], largest: Infinity };

/**
 * The addresses of a prefix, given out in prefixes; always the lowest that is free. A tree with
 * places only where something is taken, since 2^64 subnets have no bitmap.
 */
export class SubnetSpace {
  readonly prefix: Subnet;
  #root: Place | undefined;

  constructor(prefix: Subnet) {
    this.prefix = prefix;
  }

  /** Takes the lowest free prefix of that length. */
  take(length: number): Subnet | undefined {
    const found = this.find(length);
    if (found !== undefined) this.cover(found);
    return found;
  }

  /** What `take` would take. */
  find(length: number): Subnet | undefined {
    const { family, length: top, value: start } = this.prefix;
    if (length < top || length > addressBits(family)) return undefined;
    if (largestOf(this.#root, top) > length) return undefined;
    let value = start;
    let place = this.#root;
    for (let depth = top; depth < length; depth += 1) {
      const side = largestOf(place?.children[0], depth + 1) <= length ? 0 : 1;
      if (side === 1) value += 1n << BigInt(addressBits(family) - depth - 1);
      place = place?.children[side];
    }
    return { family, value, length };
  }

  /** Whether no address of it is taken, and all are of this space. */
  isFree(prefix: Subnet): boolean {
    const path = this.#path(prefix);
    if (path === undefined) return false;
    let place = this.#root;
    for (const side of path) {
      if (place === full) return false;
      place = place?.children[side];
    }
    return place === undefined;
  }

  /** Takes all of it, whatever of it was taken before; what is not of this space is let be. */
  cover(prefix: Subnet): void {
    const { family, length, value } = this.prefix;
    const bits = addressBits(family);
    const holdsAll =
      prefix.family === family &&
      prefix.length <= length &&
      value >> BigInt(bits - prefix.length) === prefix.value >> BigInt(bits - prefix.length);
    if (holdsAll) this.#root = full;
    const path = this.#path(prefix);
    if (path !== undefined) this.#root = cover(this.#root, { path, depth: length });
  }

  /** Which way to go at each bit; undefined for what is not of this space. */
  #path(prefix: Subnet): readonly (0 | 1)[] | undefined {
    const { family, length, value } = this.prefix;
    if (prefix.family !== family || prefix.length < length) return undefined;
    const bits = addressBits(family);
    const host = BigInt(bits - length);
    if (prefix.value >> host !== value >> host) return undefined;
    return Array.from({ length: prefix.length - length }, (_, at) =>
      (prefix.value >> BigInt(bits - length - at - 1)) & 1n ? 1 : 0,
    );
  }
}

function largestOf(place: Place | undefined, depth: number): number {
  return place === undefined ? depth : place.largest;
}

function cover(
  place: Place | undefined,
  { path, depth }: { readonly path: readonly (0 | 1)[]; readonly depth: number },
): Place {
  const [side, ...rest] = path;
  if (side === undefined || place === full) return full;
  const children: Place['children'] = [...(place?.children ?? [undefined, undefined])];
  children[side] = cover(children[side], { path: rest, depth: depth + 1 });
  const largest = Math.min(largestOf(children[0], depth + 1), largestOf(children[1], depth + 1));
  return largest === Infinity ? full : { children, largest };
}
