import { createApiServer, type Identity, internalIdentity } from '@tapline/apiserver';
import { silentLog, systemClock } from '@tapline/base';
import { createInProcessClient, type ResourceClient } from '@tapline/client';
import { deviceResource, installResource, tokenResource } from '@tapline/resources';
import { openMemoryStore } from '@tapline/store';

/** A real API server over a store in memory, and a client of it. */
export interface TestApi extends AsyncDisposable {
  readonly client: ResourceClient;
  /** A client of somebody else. */
  as(identity: Identity): ResourceClient;
  /** Forgets what was before. */
  compact(): Promise<void>;
}

export async function startTestApi(): Promise<TestApi> {
  const store = openMemoryStore();
  const api = await createApiServer({
    store,
    definitions: [deviceResource, installResource, tokenResource],
    clock: systemClock,
    log: silentLog,
    audit: { record: () => undefined, written: () => Promise.resolve() },
    version: 'test',
  });
  return {
    client: createInProcessClient(api, internalIdentity('gateway')),
    as: (identity) => createInProcessClient(api, identity),
    compact: () => store.compact(store.revision),
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}
