interface Node<T> {
  readonly key: string;
  value: T;
  size: number;
  visited: boolean;
  pinned: boolean;
  newer: Node<T> | undefined;
  older: Node<T> | undefined;
}

/**
 * A map of bounded size that forgets by SIEVE (Zhang et al., NSDI 2024): a hit only sets a bit, a hand
 * walks from the oldest to the newest, clears bits and evicts what has none. Pinned entries are
 * passed over.
 */
export class Sieve<T> {
  readonly #capacity: number;
  readonly #onEvict: ((key: string, value: T) => void) | undefined;
  readonly #nodes = new Map<string, Node<T>>();
  #newest: Node<T> | undefined;
  #oldest: Node<T> | undefined;
  #hand: Node<T> | undefined;
  #size = 0;
  #pinnedSize = 0;

  /** Sizes are in the unit of `capacity`, bytes or entries. */
  constructor(init: {
    readonly capacity: number;
    readonly onEvict?: (key: string, value: T) => void;
  }) {
    this.#capacity = init.capacity;
    this.#onEvict = init.onEvict;
  }

  get count(): number {
    return this.#nodes.size;
  }

  get size(): number {
    return this.#size;
  }

  get(key: string): T | undefined {
    const node = this.#nodes.get(key);
    if (node === undefined) return undefined;
    node.visited = true;
    return node.value;
  }

  /** As `get`, without counting as a use. */
  peek(key: string): T | undefined {
    return this.#nodes.get(key)?.value;
  }

  /** Whether it was used since this was last asked, or the hand last passed; pins always are. */
  takeVisit(key: string): boolean {
    const node = this.#nodes.get(key);
    if (node === undefined) return false;
    const visited = node.visited || node.pinned;
    node.visited = false;
    return visited;
  }

  /** Answers false where it does not fit beside what is pinned. */
  set(
    key: string,
    value: T,
    { size, pinned = false }: { readonly size: number; readonly pinned?: boolean },
  ): boolean {
    const existing = this.#nodes.get(key);
    if (existing !== undefined) this.#remove(existing);
    if (size > this.#capacity - this.#pinnedSize) return false;
    const node: Node<T> = {
      key,
      value,
      size,
      visited: existing?.visited ?? false,
      pinned,
      newer: undefined,
      older: this.#newest,
    };
    while (this.#size + size > this.#capacity) this.#evict();
    node.older = this.#newest;
    if (this.#newest !== undefined) this.#newest.newer = node;
    this.#newest = node;
    this.#oldest ??= node;
    this.#nodes.set(key, node);
    this.#size += size;
    if (pinned) this.#pinnedSize += size;
    return true;
  }

  delete(key: string): boolean {
    const node = this.#nodes.get(key);
    if (node !== undefined) this.#remove(node);
    return node !== undefined;
  }

  *entries(): Generator<readonly [string, T]> {
    for (const [key, { value }] of this.#nodes) yield [key, value];
  }

  #evict(): void {
    let node = this.#hand ?? this.#oldest;
    // Two rounds clear every bit; what is left then is pinned, and `set` keeps room beside that.
    for (let steps = 2 * this.#nodes.size + 2; steps > 0 && node !== undefined; steps -= 1) {
      if (!node.pinned) {
        if (!node.visited) {
          this.#hand = node;
          this.#remove(node);
          this.#onEvict?.(node.key, node.value);
          return;
        }
        node.visited = false;
      }
      node = node.newer ?? this.#oldest;
    }
  }

  #remove(node: Node<T>): void {
    if (this.#hand === node) this.#hand = node.newer;
    if (node.newer === undefined) this.#newest = node.older;
    else node.newer.older = node.older;
    if (node.older === undefined) this.#oldest = node.newer;
    else node.older.newer = node.newer;
    this.#nodes.delete(node.key);
    this.#size -= node.size;
    if (node.pinned) this.#pinnedSize -= node.size;
  }
}
