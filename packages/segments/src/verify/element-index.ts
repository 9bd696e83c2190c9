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

/** Elements of a set by what one part of their key is, so that a look-up reads only its own. */
export class ElementIndex {
  readonly elements: readonly Element[];
  readonly #byPart = new Map<number, Buckets>();

  constructor(elements: readonly Element[]) {
    this.elements = elements;
  }

  /** All elements that can match where that part is this text, and perhaps others. */
  candidates(position: number, text: string): readonly Element[] {
    const buckets = this.#sorted(position);
    return buckets.exact.get(text) ?? buckets.others;
  }

  /** Whether some element's part can be this text. */
  has(position: number, text: string): boolean {
    return this.candidates(position, text).length > 0;
  }

  #sorted(position: number): Buckets {
    const known = this.#byPart.get(position);
    if (known !== undefined) return known;
    const buckets = sort(this.elements, position);
    this.#byPart.set(position, buckets);
    return buckets;
  }
}

interface Buckets {
  /** With those of `others` in each. */
  readonly exact: ReadonlyMap<string, readonly Element[]>;
  readonly others: readonly Element[];
}

function sort(elements: readonly Element[], position: number): Buckets {
  const exact = new Map<string, Element[]>();
  const others: Element[] = [];
  for (const element of elements) {
    const part = element.parts[position];
    if (part?.kind === 'is') {
      const bucket = exact.get(part.text);
      if (bucket === undefined) exact.set(part.text, [element]);
      else bucket.push(element);
    } else others.push(element);
  }
  if (others.length > 0) for (const bucket of exact.values()) bucket.push(...others);
  return { exact, others };
}

/** Elements of a named or anonymous set; those of a map are pairs of key and value. */
export function readElements(elements: readonly unknown[], isMap: boolean): readonly Element[] {
  return elements.map((element) => {
    const [key, value] = isMap && Array.isArray(element) ? (element as unknown[]) : [element];
    return { parts: readKey(key), value };
  });
}

/** The right side of a match, which is a set of one where it is no set. */
export function readRight(right: unknown): readonly Element[] {
  const set = isRecord(right) ? right['set'] : undefined;
  return readElements(Array.isArray(set) ? set : [right], false);
}

function readKey(key: unknown): readonly Part[] {
  const inner = isRecord(key) && isRecord(key['elem']) ? key['elem']['val'] : key;
  if (isRecord(inner) && Array.isArray(inner['concat'])) return inner['concat'].map(readPart);
  return [readPart(inner)];
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
