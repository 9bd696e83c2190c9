import { type ApiServer, createApiServer, internalIdentity } from '@tapline/apiserver';
import { seededRng, silentLog, systemClock } from '@tapline/base';
import { createInProcessClient, type ResourceClient } from '@tapline/client';
import {
  deviceResource,
  type Install,
  installResource,
  nodeResource,
  taplineResources,
} from '@tapline/resources';
import { openMemoryStore } from '@tapline/store';
import { eventually } from '@tapline/testing';
import { createMetrics } from '../metrics.ts';
import { type Reconcilers, startReconcilers } from '../start-reconcilers.ts';

const digest = `sha256:${'a'.repeat(64)}`;

/** An API server with its reconcilers, and nodes that start what they get and say that it is ready. */
export interface SimulatedFleet extends AsyncDisposable {
  readonly api: ApiServer;
  readonly client: ResourceClient;
  readonly reconcilers: Reconcilers;
  /** A version that no node can start. */
  readonly broken: Set<string>;
  addNode(name: string, labels: Readonly<Record<string, string>>): Promise<void>;
  /** A device that does nothing, with its presence. */
  connect(name: string, connected: boolean): Promise<void>;
}

export async function startSimulatedFleet(): Promise<SimulatedFleet> {
  const store = openMemoryStore();
  const api = await createApiServer({
    store,
    definitions: taplineResources,
    clock: systemClock,
    log: silentLog,
    audit: { record: () => undefined, written: () => Promise.resolve() },
    version: '0.0.0',
  });
  const client = createInProcessClient(api, internalIdentity('test'));
  const away = new Set<string>();
  const broken = new Set<string>();
  const stop = new AbortController();
  const answering = answerInstalls();
  const reconcilers = startReconcilers({
    client,
    source: {
      build: ({ formula, version = '1.0', platforms }) =>
        Promise.resolve({
          version,
          repository: formula,
          digest,
          images: platforms.map((platform) => ({
            platform,
            digest,
            sizeBytes: 10,
            unpackedBytes: 20,
            layers: 1,
          })),
          failures: [],
          stages: {},
        }),
    },
    metrics: createMetrics({
      version: '0.0.0',
      storeRevision: () => 0,
      connectedDevices: () => 0,
      queueDepths: () => ({}),
    }),
    clock: systemClock,
    rng: seededRng(1),
    log: silentLog,
    packageMaxAgeMs: 900_000,
    buildConcurrency: 2,
    eventTtlMs: 3_600_000,
    tokenGraceMs: 0,
    vtepPrefix: '100.112.0.0/12',
    keyRotationMs: 3_600_000,
    profileUrl: () => undefined,
  });
  await reconcilers.started;

  async function answerInstalls(): Promise<void> {
    for await (const event of client.watch(installResource, { signal: stop.signal })) {
      if (event.kind === 'added' || event.kind === 'modified') await answer(event.object);
    }
  }

  async function answer(install: Install): Promise<void> {
    const { spec, status } = install;
    if (away.has(spec.device) || status?.observedRevision === spec.revision) return;
    const { version, revision, image } = spec;
    const failed = {
      state: 'Failed',
      error: { code: 'health_failed', message: 'it does not start' },
    } as const;
    const ready = { state: 'Ready', active: { version, revision, digest: image.digest } } as const;
    const is = broken.has(version) ? failed : ready;
    await client
      .updateStatus(installResource, { ...install, status: { observedRevision: revision, ...is } })
      .catch(() => undefined);
  }

  async function connect(name: string, connected: boolean): Promise<void> {
    if (connected) away.delete(name);
    else away.add(name);
    await eventually('its presence is written', async () => {
      const device = await client.get(deviceResource, name);
      const epoch = (device.status?.presence?.epoch ?? 0) + 1;
      const presence = { connected, epoch, since: new Date(systemClock.now()).toISOString() };
      return await client
        .updateStatus(deviceResource, { ...device, status: { ...device.status, presence } })
        .catch(() => undefined);
    });
  }

  let nodes = 0;
  return {
    api,
    client,
    reconcilers,
    broken,
    connect,
    async addNode(name, labels) {
      await client.create(deviceResource, {
        metadata: { name, labels },
        spec: { platform: 'linux/arm64', role: 'node' },
      });
      await connect(name, true);
      const address = `192.0.2.${(nodes += 1)}`;
      await eventually('it has a Node', async () => {
        const node = await client.get(nodeResource, name).catch(() => undefined);
        if (node === undefined) return undefined;
        const told = {
          underlay: { address },
          capabilities: [],
          capacity: { cpus: 4, memoryBytes: 1000 },
        };
        return await client
          .updateStatus(nodeResource, { ...node, status: { ...node.status, ...told } })
          .catch(() => undefined);
      });
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await answering.catch(() => undefined);
      await reconcilers[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}
