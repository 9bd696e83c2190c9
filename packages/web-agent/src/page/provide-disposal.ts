/**
 * What `using` needs and WebKit does not have yet: ECMAScript's explicit resource management. A browser that
 * has it is left as it is. First of all that the page loads, as classes name their disposal when they are
 * made.
 */
type Close = () => unknown;

function define(on: object, name: string, value: unknown): void {
  if (!(name in on)) Object.defineProperty(on, name, { value, configurable: true, writable: true });
}

define(Symbol, 'dispose', Symbol('Symbol.dispose'));
define(Symbol, 'asyncDispose', Symbol('Symbol.asyncDispose'));

/** One error after the other, the newest with those before it. */
function joined(before: { readonly error: unknown } | undefined, error: unknown) {
  if (before === undefined) return { error };
  return { error: new AggregateError([error, before.error], 'more than one thing did not end') };
}

class AsyncStack {
  #closes: Close[] = [];
  #disposed = false;

  use<T>(value: T): T {
    const owned = value as Partial<AsyncDisposable & Disposable> | null | undefined;
    if (owned === null || owned === undefined) return value;
    const close = owned[Symbol.asyncDispose] ?? owned[Symbol.dispose];
    if (close === undefined) throw new TypeError('the value cannot be disposed');
    this.#add(() => close.call(owned));
    return value;
  }

  defer(close: Close): void {
    this.#add(close);
  }

  move(): AsyncStack {
    const next = new AsyncStack();
    next.#closes = this.#closes;
    this.#closes = [];
    this.#disposed = true;
    return next;
  }

  async disposeAsync(): Promise<void> {
    this.#disposed = true;
    let failed: { readonly error: unknown } | undefined;
    for (const close of this.#closes.splice(0).toReversed()) {
      try {
        await close();
      } catch (error) {
        failed = joined(failed, error);
      }
    }
    if (failed !== undefined) throw failed.error;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.disposeAsync();
  }

  #add(close: Close): void {
    if (this.#disposed) throw new ReferenceError('the stack is disposed');
    this.#closes.push(close);
  }
}

define(globalThis, 'AsyncDisposableStack', AsyncStack);
