/** What a purge names. */
export type PurgeTarget =
  | { readonly kind: 'url'; readonly channel: string; readonly target: string }
  | { readonly kind: 'tag'; readonly channel: string; readonly tag: string }
  | { readonly kind: 'channel'; readonly channel: string }
  | { readonly kind: 'all' };

/** `hard` forgets; `soft` makes stale, so that it still serves while the origin is asked or down. */
export type PurgeMode = 'hard' | 'soft';

/** How purges apply to something kept. */
export type PurgeState = 'valid' | 'soft' | 'hard';

export interface PurgeEntry {
  readonly name: string;
  readonly mode: PurgeMode;
  readonly generation: number;
}

/** The name under which purges of a target are found. */
export function purgeName(target: PurgeTarget): string {
  switch (target.kind) {
    case 'url':
      return `u ${target.channel} ${target.target}`;
    case 'tag':
      return `t ${target.channel} ${target.tag}`;
    case 'channel':
      return `c ${target.channel}`;
    case 'all':
      return 'a';
  }
}

/** What a kept response is known by to purges. */
export interface Purgeable {
  readonly generation: number;
  readonly channel: string;
  readonly target: string;
  readonly tags: readonly string[];
}

/**
 * Purges by number instead of an index from tags to objects: each purge gets the next number, each
 * response the number of the newest purge when its request was sent. A response is purged where one of
 * its names was purged under a higher number. It costs nothing per object, a purge takes the same time
 * for one object and for a million, and a response whose request was under way during the purge is
 * purged too.
 */
export class PurgeTable {
  readonly #hard = new Map<string, number>();
  readonly #soft = new Map<string, number>();
  readonly #limit: number;
  #generation = 0;

  constructor({ limit }: { readonly limit: number }) {
    this.#limit = limit;
  }

  get generation(): number {
    return this.#generation;
  }

  purge(name: string, mode: PurgeMode): PurgeEntry {
    const entry = { name, mode, generation: this.#generation + 1 };
    this.restore(entry);
    return entry;
  }

  /** Takes up a purge from the log. */
  restore({ name, mode, generation }: PurgeEntry): void {
    this.#generation = Math.max(this.#generation, generation);
    const table = mode === 'hard' ? this.#hard : this.#soft;
    table.delete(name);
    table.set(name, generation);
    if (table.size > this.#limit) this.#collapse(table);
  }

  /** Drops what nothing kept is older than; `oldest` is the lowest generation that is kept. */
  forgetBefore(oldest: number): void {
    for (const table of [this.#hard, this.#soft]) {
      for (const [name, generation] of table) if (generation <= oldest) table.delete(name);
    }
  }

  entries(): readonly PurgeEntry[] {
    return [...entriesOf(this.#hard, 'hard'), ...entriesOf(this.#soft, 'soft')].toSorted(
      (one, other) => one.generation - other.generation,
    );
  }

  stateOf(object: Purgeable): PurgeState {
    if (object.generation >= this.#generation) return 'valid';
    if (this.#isIn(this.#hard, object)) return 'hard';
    return this.#isIn(this.#soft, object) ? 'soft' : 'valid';
  }

  #isIn(table: ReadonlyMap<string, number>, object: Purgeable): boolean {
    if (table.size === 0) return false;
    const { channel, target, generation } = object;
    const purged = (name: string): boolean => (table.get(name) ?? 0) > generation;
    return (
      purged('a') ||
      purged(`c ${channel}`) ||
      purged(`u ${channel} ${target}`) ||
      object.tags.some((tag) => purged(`t ${channel} ${tag}`))
    );
  }

  /** Too many names: the older half becomes one purge of all that is as old as they are. */
  #collapse(table: Map<string, number>): void {
    const older = [...table].slice(0, Math.ceil(table.size / 2));
    for (const [name] of older) table.delete(name);
    const newest = older.at(-1)?.[1] ?? 0;
    const all = table.get('a') ?? 0;
    table.delete('a');
    // It has to stand where its number belongs, for the next collapse goes by order.
    const rest = [...table];
    table.clear();
    table.set('a', Math.max(all, newest));
    for (const [name, generation] of rest) table.set(name, generation);
  }
}

function entriesOf(table: ReadonlyMap<string, number>, mode: PurgeMode): readonly PurgeEntry[] {
  return [...table].map(([name, generation]) => ({ name, mode, generation }));
}
