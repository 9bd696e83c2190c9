import { isRecord } from '@tapline/base';

/** One element of a set: what each part of the key must be, and for a map what it gives. */
export interface Element {
  readonly parts: readonly Part[];
  readonly value: unknown;
}

export type Part =
  | { readonly kind: 'is'; readonly text: string }
  | { readonly kind: 'starts'; readonly text: string }
  | { readonly kind: 'range'; readonly low: number; readonly high: number }
  | { readonly kind: 'any' }
  /** Prefixes and whatever else: it may match and it may not. */
  | { readonly kind: 'perhaps' };

/**
 * Elements of a set, as nft prints them, by what one part of their key is, so that a look-up reads
 * only its own. They are parsed when they are looked up: most elements of a node are of other segments.
 */
export class ElementIndex {
  readonly size: number;
  readonly #printed: readonly unknown[];
  readonly #isMap: boolean;
  readonly #byPart = new Map<number, Buckets>();
  #all: readonly Element[] | undefined;

  constructor(printed: readonly unknown[], isMap: boolean) {
    this.size = printed.length;
    this.#printed = printed;
    this.#isMap = isMap;
  }

  get elements(): readonly Element[] {
    this.#all ??= readElements(this.#printed, this.#isMap);
    return this.#all;
  }

  /** All elements that can match where that part is this text, and perhaps others. */
  candidates(position: number, text: string): readonly Element[] {
    const buckets = this.#sorted(position);
    const bucket = buckets.exact.get(text);
    if (bucket === undefined) return buckets.others;
    bucket.elements ??= [...readElements(bucket.printed, this.#isMap), ...buckets.others];
    return bucket.elements;
  }

  /** Whether some element's part is this text and nothing else. */
  names(position: number, text: string): boolean {
    return this.#sorted(position).exact.has(text);
  }

  /** Elements whose part is not one text. */
  others(position: number): readonly Element[] {
    return this.#sorted(position).others;
  }

  #sorted(position: number): Buckets {
    let buckets = this.#byPart.get(position);
    if (buckets === undefined) {
      buckets = sort(this.#printed, this.#isMap, position);
      this.#byPart.set(position, buckets);
    }
    return buckets;
  }
}

interface Buckets {
  readonly exact: ReadonlyMap<string, Bucket>;
  readonly others: readonly Element[];
}

interface Bucket {
  readonly printed: unknown[];
  /** With those of `others`. */
  elements: readonly Element[] | undefined;
}

function sort(printed: readonly unknown[], isMap: boolean, position: number): Buckets {
  const exact = new Map<string, Bucket>();
  const others: unknown[] = [];
  for (const element of printed) {
    const text = exactText(partsOf(keyOf(element, isMap))[position]);
    const bucket = text === undefined ? undefined : exact.get(text);
    if (bucket !== undefined) bucket.printed.push(element);
    else if (text === undefined) others.push(element);
    else exact.set(text, { printed: [element], elements: undefined });
  }
  return { exact, others: readElements(others, isMap) };
}

/** The key of an element as it is printed; those of a map are pairs. */
export function keyOf(element: unknown, isMap: boolean): unknown {
  const key = isMap && Array.isArray(element) ? (element[0] as unknown) : element;
  // With a timeout, a comment or a counter.
  return isRecord(key) && isRecord(key['elem']) ? key['elem']['val'] : key;
}

/** The parts of a key: several for a concatenation. */
export function partsOf(key: unknown): readonly unknown[] {
  return isRecord(key) && Array.isArray(key['concat']) ? key['concat'] : [key];
}

/** Undefined for what is not one text: a prefix, a range, a wildcard. */
function exactText(part: unknown): string | undefined {
  if (typeof part === 'string') return part.endsWith('*') ? undefined : part;
  return typeof part === 'number' || typeof part === 'boolean' ? String(part) : undefined;
}

/** Elements of a named or anonymous set; those of a map are pairs of key and value. */
function readElements(elements: readonly unknown[], isMap: boolean): readonly Element[] {
  return elements.map((element) => {
    const value = isMap && Array.isArray(element) ? (element[1] as unknown) : undefined;
    return { parts: partsOf(keyOf(element, isMap)).map(readPart), value };
  });
}

/** The right side of a match, which is a set of one where it is no set. */
export function rightOf(right: unknown): readonly unknown[] {
  const set = isRecord(right) ? right['set'] : undefined;
  return Array.isArray(set) ? set : [right];
}

function readPart(value: unknown): Part {
  if (typeof value === 'number' || typeof value === 'boolean') {
    return { kind: 'is', text: String(value) };
  }
  if (typeof value === 'string') {
    if (value === '*') return { kind: 'any' };
    if (value.endsWith('*')) return { kind: 'starts', text: value.slice(0, -1) };
    return { kind: 'is', text: value };
  }
  if (isRecord(value) && Array.isArray(value['range'])) {
    const [low, high] = value['range'] as readonly unknown[];
    if (typeof low === 'number' && typeof high === 'number') return { kind: 'range', low, high };
  }
  return { kind: 'perhaps' };
}
