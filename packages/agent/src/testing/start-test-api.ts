import { createApiServer, internalIdentity } from '@tapline/apiserver';
import { silentLog, systemClock } from '@tapline/base';
import { createInProcessClient, type ResourceClient } from '@tapline/client';
import { channelEdgeResource, deviceResource, installResource } from '@tapline/resources';
import { openMemoryStore } from '@tapline/store';

/** A real API server over a store in memory, with one device. */
export interface TestApi extends AsyncDisposable {
  /** May do everything. */
  readonly client: ResourceClient;
  /** May do what the device may. */
  readonly deviceClient: ResourceClient;
}

export async function startTestApi(device: string): Promise<TestApi> {
  const store = openMemoryStore();
  const api = await createApiServer({
    store,
    definitions: [channelEdgeResource, deviceResource, installResource],
    clock: systemClock,
    log: silentLog,
    audit: { record: () => undefined, written: () => Promise.resolve() },
    version: 'test',
  });
  const client = createInProcessClient(api, internalIdentity('test'));
  await client.create(deviceResource, {
    metadata: { name: device },
    spec: { platform: 'linux/amd64', role: 'device' },
  });
  return {
    client,
    deviceClient: createInProcessClient(api, {
      user: `system:device:${device}`,
      groups: ['system:devices'],
      via: 'internal',
    }),
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}
