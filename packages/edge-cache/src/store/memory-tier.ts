import type { HeaderFields } from '../rfc/header-fields.ts';
import { variantKey } from '../rfc/vary.ts';
import type { PreparedAnswer } from '../engine/exchange.ts';
import { Sieve } from './sieve.ts';
import type { StoredHead, StoredResponse } from './stored-response.ts';

/** What stands under the key of a target whose responses vary: by which fields, the latest first. */
export interface VariantMarker {
  readonly kind: 'variants';
  readonly key: string;
  readonly lists: readonly (readonly string[])[];
}

/** A response in memory, with its answer of this second in the form of the wire. */
export interface MemoryResponse extends StoredResponse {
  readonly kind: 'response';
  /** Filled in by who answers from it. */
  prepared: { readonly second: number; readonly answer: PreparedAnswer } | undefined;
}

export type MemoryEntry = MemoryResponse | VariantMarker;

/** Lists of names that are remembered for one target; an origin that has more is misused. */
const maxLists = 4;
/** What a map node, a head and its strings take beside the body, roughly. */
const overheadBytes = 1024;

/** Responses and markers in memory, bounded by bytes. */
export class MemoryTier {
  readonly #sieve: Sieve<MemoryEntry>;
  readonly #capacity: number;

  constructor(init: { readonly capacityBytes: number }) {
    this.#capacity = init.capacityBytes;
    this.#sieve = new Sieve({ capacity: init.capacityBytes });
  }

  get objects(): number {
    return this.#sieve.count;
  }

  get bytes(): number {
    return this.#sieve.size;
  }

  /** Larger ones would push out too much of the rest. */
  holds(bodyBytes: number): boolean {
    return bodyBytes + overheadBytes <= this.#capacity / 4;
  }

  /** What answers a request for the key, or the marker that says that its variant is not here. */
  find(primary: string, fields: HeaderFields): MemoryEntry | undefined {
    const entry = this.#sieve.get(primary);
    if (entry === undefined || entry.kind === 'response') return entry;
    for (const names of entry.lists) {
      const variant = this.#sieve.get(`${primary} ${variantKey(names, fields)}`);
      if (variant?.kind === 'response') return variant;
    }
    return entry;
  }

  put(
    head: StoredHead,
    body: Buffer,
    { pinned = false }: { readonly pinned?: boolean } = {},
  ): MemoryResponse | undefined {
    const entry: MemoryResponse = { kind: 'response', head, body, prepared: undefined };
    const size = body.length + head.key.length + overheadBytes;
    return this.#sieve.set(head.key, entry, { size, pinned }) ? entry : undefined;
  }

  /** Remembers that responses of a target vary by these fields. */
  mark(primary: string, names: readonly string[]): VariantMarker {
    const existing = this.#sieve.peek(primary);
    const marker = markerWith(existing?.kind === 'variants' ? existing : undefined, primary, names);
    if (marker !== existing) this.putMarker(marker);
    return marker;
  }

  putMarker(marker: VariantMarker): void {
    this.#sieve.set(marker.key, marker, { size: marker.key.length + overheadBytes });
  }

  delete(key: string): void {
    this.#sieve.delete(key);
  }
}

/** The marker with these names first; the same one where they are already. */
export function markerWith(
  marker: VariantMarker | undefined,
  key: string,
  names: readonly string[],
): VariantMarker {
  const text = names.join();
  if (marker !== undefined && marker.lists[0]?.join() === text) return marker;
  const others = (marker?.lists ?? []).filter((list) => list.join() !== text);
  return { kind: 'variants', key, lists: [names, ...others].slice(0, maxLists) };
}
