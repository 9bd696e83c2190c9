import { createApiServer, internalIdentity } from '@tapline/apiserver';
import { silentLog, systemClock } from '@tapline/base';
import { createInProcessClient, type ResourceClient } from '@tapline/client';
import { deviceResource, installResource, tokenResource } from '@tapline/resources';
import { openMemoryStore } from '@tapline/store';

/** A real API server over a store in memory, and a client of it. */
export interface TestApi extends AsyncDisposable {
  readonly client: ResourceClient;
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
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}
