/**
 * A queue with one consumer that waits: producers push without waiting, the consumer iterates.
 * Bounded: beyond `capacity` waiting items `push` answers false and the item is not taken.
 */
export class AsyncQueue<T> implements AsyncIterableIterator<T> {
  readonly #capacity: number;
  #items: T[] = [];
  #head = 0;
  #waiting: ((result: IteratorResult<T>) => void) | undefined;
  #rejectWaiting: ((error: unknown) => void) | undefined;
  #closed = false;
  #error: unknown;

  constructor(options: { readonly capacity?: number } = {}) {
    this.#capacity = options.capacity ?? Infinity;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): boolean {
    if (this.#closed) return false;
    if (this.#waiting !== undefined) {
      const resolve = this.#waiting;
      this.#waiting = this.#rejectWaiting = undefined;
      resolve({ value: item, done: false });
      return true;
    }
    if (this.size >= this.#capacity) return false;
    this.#items.push(item);
    return true;
  }

  /** Ends the iteration after what is queued, with `error` thrown where one is given. */
  close(error?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = error;
    if (error === undefined) this.#waiting?.({ value: undefined, done: true });
    else this.#rejectWaiting?.(error);
    this.#waiting = this.#rejectWaiting = undefined;
  }

  next(): Promise<IteratorResult<T>> {
    if (this.size > 0) {
      const value = this.#items[this.#head] as T;
      this.#head += 1;
      if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
        this.#items = this.#items.slice(this.#head);
        this.#head = 0;
      }
      return Promise.resolve({ value, done: false });
    }
    if (this.#closed) {
      if (this.#error !== undefined) {
        const error = this.#error;
        this.#error = undefined;
        return Promise.reject(error);
      }
      return Promise.resolve({ value: undefined, done: true });
    }
    return new Promise((resolve, reject) => {
      this.#waiting = resolve;
      this.#rejectWaiting = reject;
    });
  }

  return(): Promise<IteratorResult<T>> {
    this.#items = [];
    this.#head = 0;
    this.close();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
