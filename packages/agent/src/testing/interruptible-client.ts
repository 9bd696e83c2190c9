import type { ResourceClient } from '@tapline/client';

/** A client whose server can be made to look as if it were away. */
export interface InterruptibleClient extends ResourceClient {
  /** Every call fails so, and every watch ends so, until called with undefined. */
  failWith(error: Error | undefined): void;
}

export function createInterruptibleClient(inner: ResourceClient): InterruptibleClient {
  let failure: Error | undefined;
  let interruption = new AbortController();

  async function call<T>(work: () => Promise<T>): Promise<T> {
    if (failure !== undefined) throw failure;
    return work();
  }

  return {
    failWith(error) {
      failure = error;
      if (error === undefined) interruption = new AbortController();
      else interruption.abort(error);
    },
    get: (definition, name, options) => call(() => inner.get(definition, name, options)),
    list: (definition, options) => call(() => inner.list(definition, options)),
    create: (definition, object, options) => call(() => inner.create(definition, object, options)),
    update: (definition, object, options) => call(() => inner.update(definition, object, options)),
    updateStatus: (definition, object, options) =>
      call(() => inner.updateStatus(definition, object, options)),
    patch: (definition, name, patch, options) =>
      call(() => inner.patch(definition, name, patch, options)),
    delete: (definition, name, options) => call(() => inner.delete(definition, name, options)),
    async *watch(definition, options) {
      if (failure !== undefined) throw failure;
      const signals = [
        interruption.signal,
        ...(options.signal === undefined ? [] : [options.signal]),
      ];
      yield* inner.watch(definition, { ...options, signal: AbortSignal.any(signals) });
    },
  };
}
