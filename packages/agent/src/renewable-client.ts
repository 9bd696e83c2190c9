import type { ResourceClient } from '@tapline/client';

/** A connection that can be replaced, as when its certificate was renewed. */
export interface Renewable<T extends AsyncDisposable> extends AsyncDisposable {
  readonly current: T;
  /** What was used before ends, and with it what is under way on it. */
  renew(): Promise<void>;
}

export function createRenewable<T extends AsyncDisposable>(open: () => T): Renewable<T> {
  let current = open();
  return {
    get current() {
      return current;
    },
    async renew() {
      const old = current;
      current = open();
      await old[Symbol.asyncDispose]();
    },
    [Symbol.asyncDispose]: () => current[Symbol.asyncDispose]().then(() => undefined),
  };
}

/** A client that is whichever one is current at each call. */
export function renewableClient(
  renewable: Renewable<ResourceClient & AsyncDisposable>,
): ResourceClient {
  return {
    get: (definition, name, options) => renewable.current.get(definition, name, options),
    list: (definition, options) => renewable.current.list(definition, options),
    create: (definition, object, options) => renewable.current.create(definition, object, options),
    update: (definition, object, options) => renewable.current.update(definition, object, options),
    updateStatus: (definition, object, options) =>
      renewable.current.updateStatus(definition, object, options),
    patch: (definition, name, patch, options) =>
      renewable.current.patch(definition, name, patch, options),
    delete: (definition, name, options) => renewable.current.delete(definition, name, options),
    watch: (definition, options) => renewable.current.watch(definition, options),
  };
}
