import type { ApiServer } from '@tapline/apiserver';
import type { ResourceClient } from '@tapline/client';
import { deviceResource, type Install, installResource, nodeResource } from '@tapline/resources';
import { eventually } from '@tapline/testing';
import type { Reconcilers } from '../start-reconcilers.ts';
import { startMemoryApi } from './memory-api.ts';
import { setPresence } from './set-presence.ts';
import { immediateSource, startTestReconcilers } from './test-reconcilers.ts';

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
  const memory = await startMemoryApi();
  const { api, client } = memory;
  const away = new Set<string>();
  const broken = new Set<string>();
  const stop = new AbortController();
  const answering = answerInstalls();
  const reconcilers = startTestReconcilers(client, { source: immediateSource });
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
    await setPresence(client, name, connected);
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
      await memory[Symbol.asyncDispose]();
    },
  };
}
