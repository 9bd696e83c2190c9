import { TaplineError } from '@tapline/base';

const wordOrder = 5;
const maxOrder = 24;

/**
 * Numbers from 0 to 2^order − 1, given out in blocks of a power of two that begin at a multiple of
 * their size; always the lowest that is free. A bitmap of 32-bit words below a tree with a byte a
 * node: 3 MiB for all of 24 bits, whatever is taken. Taking and giving back walk the tree once.
 */
export class NumberSpace {
  readonly order: number;
  /** A bit for each number that is taken on its own or in a block smaller than a word. */
  readonly #words: Uint32Array;
  /**
   * A heap: of each node its order minus that of the largest free block below, so that zeros, which
   * cost no memory until they are written, are a space with nothing taken. `order + 1` is full; a
   * block that was taken as a whole is full with nothing below it.
   */
  readonly #tree: Uint8Array;
  readonly #leaves: number;
  #free: number;

  constructor(order: number) {
    if (!Number.isInteger(order) || order < 0 || order > maxOrder) {
      throw new TaplineError('block_invalid', `order ${order} is not from 0 to ${maxOrder}`);
    }
    this.order = order;
    this.#leaves = 2 ** Math.max(0, order - wordOrder);
    this.#words = new Uint32Array(this.#leaves);
    this.#tree = new Uint8Array(2 * this.#leaves);
    this.#free = 2 ** order;
    if (order < wordOrder) {
      this.#words[0] = 2 ** 32 - 2 ** (2 ** order);
      this.#tree[1] = wordOrder - wordLongest(this.#word(0));
    }
  }

  /** How many numbers are not taken. */
  get free(): number {
    return this.#free;
  }

  /** Order of the largest free block; −1 where nothing is free. */
  get largestFree(): number {
    return Math.max(this.order, wordOrder) - this.#at(1);
  }

  /** Takes the lowest free block of that order; gives back its first number. */
  take(order: number): number | undefined {
    checkOrder(order);
    if (this.largestFree < order) return undefined;
    const goal = Math.max(order, wordOrder);
    let node = 1;
    for (let level = Math.max(this.order, wordOrder); level > goal; level -= 1) {
      node *= 2;
      if (level - 1 - this.#at(node) < order) node += 1;
    }
    this.#free -= 2 ** order;
    if (order >= wordOrder) {
      this.#set(node, order + 1);
      return (node - 2 ** (this.order - order)) * 2 ** order;
    }
    const at = node - this.#leaves;
    const word = this.#word(at);
    const bit = lowestBit(freeBlocks(word, order));
    this.#setWord(at, word | mask(bit, order));
    return at * 32 + bit;
  }

  /** Takes that very block; whether it was free. */
  takeAt(first: number, order: number): boolean {
    const { node, level } = this.#find(first, order);
    for (let above = node, at = level; above >= 1; above >>>= 1, at += 1) {
      if (this.#isWhole(above, at)) return false;
    }
    if (order >= wordOrder) {
      if (this.#at(node) !== 0) return false;
      this.#set(node, order + 1);
    } else {
      const at = node - this.#leaves;
      const bits = mask(first % 32, order);
      if ((this.#word(at) & bits) !== 0) return false;
      this.#setWord(at, this.#word(at) | bits);
    }
    this.#free -= 2 ** order;
    return true;
  }

  /** Gives back a block as it was taken. Throws `block_not_taken`. */
  release(first: number, order: number): void {
    const { node } = this.#find(first, order);
    if (order >= wordOrder) {
      if (!this.#isWhole(node, order)) throw notTaken(first, order);
      this.#set(node, 0);
    } else {
      const at = node - this.#leaves;
      const bits = mask(first % 32, order);
      if ((this.#word(at) & bits) >>> 0 !== bits) throw notTaken(first, order);
      this.#setWord(at, this.#word(at) & ~bits);
    }
    this.#free += 2 ** order;
  }

  /** The node of a block, or of the word that it is in. */
  #find(first: number, order: number): { readonly node: number; readonly level: number } {
    checkOrder(order);
    const size = 2 ** order;
    if (!Number.isInteger(first) || first < 0 || first % size !== 0) {
      throw new TaplineError('block_invalid', `${first} is not a multiple of ${size}`);
    }
    if (first + size > 2 ** this.order) {
      throw new TaplineError(
        'block_invalid',
        `block ${first} of ${size} ends beyond ${2 ** this.order - 1}`,
      );
    }
    const level = Math.max(order, wordOrder);
    const depth = Math.max(this.order, wordOrder) - level;
    return { node: 2 ** depth + Math.floor(first / 2 ** level), level };
  }

  /** Whether the node was taken as one block. */
  #isWhole(node: number, level: number): boolean {
    if (this.#at(node) !== level + 1) return false;
    if (node >= this.#leaves) return this.#word(node - this.#leaves) === 0;
    return this.#at(2 * node) === 0 && this.#at(2 * node + 1) === 0;
  }

  #at(node: number): number {
    return this.#tree[node] ?? 0;
  }

  #word(at: number): number {
    return this.#words[at] ?? 0;
  }

  #setWord(at: number, word: number): void {
    this.#words[at] = word;
    this.#set(this.#leaves + at, wordOrder - wordLongest(word >>> 0));
  }

  #set(start: number, value: number): void {
    const tree = this.#tree;
    tree[start] = value;
    for (let node = start >>> 1; node >= 1; node >>>= 1) {
      const left = tree[2 * node] ?? 0;
      const right = tree[2 * node + 1] ?? 0;
      const next = (left | right) === 0 ? 0 : 1 + Math.min(left, right);
      if (tree[node] === next) return;
      tree[node] = next;
    }
  }
}

/** Bits where a free block of that order begins. */
function freeBlocks(word: number, order: number): number {
  let free = ~word;
  if (order >= 1) free &= (free >>> 1) & 0x5555_5555;
  if (order >= 2) free &= (free >>> 2) & 0x1111_1111;
  if (order >= 3) free &= (free >>> 4) & 0x0101_0101;
  if (order >= 4) free &= (free >>> 8) & 0x0001_0001;
  return free;
}

function wordLongest(word: number): number {
  if (word === 0) return wordOrder;
  for (let order = wordOrder - 1; order >= 0; order -= 1) {
    if (freeBlocks(word, order) !== 0) return order;
  }
  return -1;
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}

function mask(bit: number, order: number): number {
  return ((2 ** (2 ** order) - 1) << bit) >>> 0;
}

function checkOrder(order: number): void {
  if (Number.isInteger(order) && order >= 0 && order <= maxOrder) return;
  throw new TaplineError('block_invalid', `order ${order} is not from 0 to ${maxOrder}`);
}

function notTaken(first: number, order: number): TaplineError {
  return new TaplineError('block_not_taken', `block ${first} of ${2 ** order} is not taken`);
}
