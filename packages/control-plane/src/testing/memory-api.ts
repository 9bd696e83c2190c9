import { type ApiServer, createApiServer, internalIdentity } from '@tapline/apiserver';
import { silentLog, systemClock } from '@tapline/base';
import { createInProcessClient, type ResourceClient } from '@tapline/client';
import { taplineResources } from '@tapline/resources';
import { openMemoryStore, type Store } from '@tapline/store';

/** An API over memory, and a client that may do everything. */
export interface MemoryApi extends AsyncDisposable {
  readonly store: Store;
  readonly api: ApiServer;
  readonly client: ResourceClient;
}

export async function startMemoryApi(): Promise<MemoryApi> {
  const store = openMemoryStore();
  const api = await createApiServer({
    store,
    definitions: taplineResources,
    clock: systemClock,
    log: silentLog,
    audit: { record: () => undefined, written: () => Promise.resolve() },
    version: '0.0.0',
  });
  return {
    store,
    api,
    client: createInProcessClient(api, internalIdentity('test')),
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}
