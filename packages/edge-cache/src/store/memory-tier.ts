import type { HeaderFields } from '../rfc/header-fields.ts';
import { variantKey } from '../rfc/vary.ts';
import type { PreparedAnswer } from '../engine/exchange.ts';
import { ChannelUse } from './channel-use.ts';
import { Sieve } from './sieve.ts';
import type { StoredHead, StoredResponse } from './stored-response.ts';
import { markerWith, type VariantMarker } from './variant-marker.ts';

/** A response in memory, with its answer of this second in the form of the wire. */
export interface MemoryResponse extends StoredResponse {
  readonly kind: 'response';
  /** Filled in by who answers from it. */
  prepared: { readonly second: number; readonly answer: PreparedAnswer } | undefined;
}

export type MemoryEntry = MemoryResponse | VariantMarker;

/** What a map node, a head and its strings take beside the body, roughly. */
const overheadBytes = 1024;

/** Responses and markers in memory, bounded by bytes. */
export class MemoryTier {
  readonly #sieve: Sieve<MemoryEntry>;
  readonly #capacity: number;

  readonly #use: ChannelUse;

  constructor(init: {
    readonly capacityBytes: number;
    /** The most that a channel may have here; 0 is no limit. Nobody has one unless given. */
    readonly limitOf?: (channel: string) => number;
  }) {
    this.#capacity = init.capacityBytes;
    this.#use = new ChannelUse({ limitOf: init.limitOf ?? (() => 0) });
    this.#sieve = new Sieve({
      capacity: init.capacityBytes,
      onEvict: (key) => this.#use.removed(key),
    });
  }

  /** What a channel has here. */
  bytesOf(channel: string): number {
    return this.#use.bytesOf(channel);
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

  /** The response under its full key; it does not count as a use. */
  peek(key: string): MemoryResponse | undefined {
    const entry = this.#sieve.peek(key);
    return entry?.kind === 'response' ? entry : undefined;
  }

  put(
    head: StoredHead,
    body: Buffer,
    { pinned = false }: { readonly pinned?: boolean } = {},
  ): MemoryResponse | undefined {
    const entry: MemoryResponse = { kind: 'response', head, body, prepared: undefined };
    const size = body.length + head.key.length + overheadBytes;
    return this.#set(head.key, entry, { size, pinned }) ? entry : undefined;
  }

  /** Remembers that responses of a target vary by these fields. */
  mark(
    primary: string,
    names: readonly string[],
    { pinned = false }: { readonly pinned?: boolean } = {},
  ): VariantMarker {
    const existing = this.#sieve.peek(primary);
    const marker = markerWith(existing?.kind === 'variants' ? existing : undefined, primary, names);
    if (marker !== existing || pinned) this.#putMarker(marker, pinned);
    return marker;
  }

  delete(key: string): void {
    this.#use.removed(key);
    this.#sieve.delete(key);
  }

  #set(
    key: string,
    entry: MemoryEntry,
    how: { readonly size: number; readonly pinned: boolean },
  ): boolean {
    this.#use.removed(key);
    if (!this.#use.admits(key, how.size)) {
      this.#sieve.delete(key);
      return false;
    }
    const isIn = this.#sieve.set(key, entry, how);
    if (!isIn) return false;
    this.#use.added(key, how.size);
    for (const gone of this.#use.excess(key, (name) => this.#sieve.takeVisit(name))) {
      this.#sieve.delete(gone);
    }
    return true;
  }

  #putMarker(marker: VariantMarker, pinned: boolean): void {
    this.#set(marker.key, marker, { size: marker.key.length + overheadBytes, pinned });
  }
}
