import type { ResourceClient } from '@tapline/client';
import {
  deviceResource,
  findCondition,
  type Install,
  installResource,
  nodeResource,
  type Workload,
  workloadLabel,
  workloadResource,
  type WorkloadSpec,
} from '@tapline/resources';
import { eventually } from '@tapline/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Reconcilers } from '../start-reconcilers.ts';
import { type MemoryApi, startMemoryApi } from '../testing/memory-api.ts';
import { setPresence } from '../testing/set-presence.ts';
import { immediateSource, startTestReconcilers } from '../testing/test-reconcilers.ts';

/** Nodes that start what they get, and say that it is ready, unless they are away. */
class Nodes implements AsyncDisposable {
  readonly away = new Set<string>();
  readonly #client: ResourceClient;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(client: ResourceClient) {
    this.#client = client;
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for await (const event of this.#client.watch(installResource, { signal })) {
      if (event.kind === 'added' || event.kind === 'modified') await this.#answer(event.object);
    }
  }

  async #answer(install: Install): Promise<void> {
    const { spec, status } = install;
    if (this.away.has(spec.device) || status?.observedRevision === spec.revision) return;
    const { version, revision, image } = spec;
    const active = { version, revision, digest: image.digest };
    const ready = { observedRevision: revision, state: 'Ready', active } as const;
    await this.#client
      .updateStatus(installResource, { ...install, status: { ...status, ...ready } })
      .catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running.catch(() => undefined);
  }
}

describe('workloads', () => {
  let memory: MemoryApi;
  let client: ResourceClient;
  let nodes: Nodes;
  let running: Reconcilers;

  const start = (): Reconcilers => startTestReconcilers(client, { source: immediateSource });

  beforeEach(async () => {
    memory = await startMemoryApi();
    ({ client } = memory);
    nodes = new Nodes(client);
    running = start();
    await running.started;
    for (const [name, zone] of [
      ['a1', 'a'],
      ['a2', 'a'],
      ['b1', 'b'],
    ] as const) {
      await addNode(name, zone);
    }
  });

  afterEach(async () => {
    await running[Symbol.asyncDispose]();
    await nodes[Symbol.asyncDispose]();
    await memory[Symbol.asyncDispose]();
  });

  async function addNode(name: string, zone: string): Promise<void> {
    await client.create(deviceResource, {
      metadata: { name, labels: { zone } },
      spec: { platform: 'linux/arm64', role: 'node' },
    });
    await connect(name, true);
    await eventually('it has a Node', async () => {
      const node = await client.get(nodeResource, name).catch(() => undefined);
      if (node === undefined) return undefined;
      const capacity = { cpus: 4, memoryBytes: 1000 };
      return await client
        .updateStatus(nodeResource, { ...node, status: { ...node.status, capacity } })
        .catch(() => undefined);
    });
  }

  async function connect(name: string, connected: boolean): Promise<void> {
    if (connected) nodes.away.delete(name);
    else nodes.away.add(name);
    await setPresence(client, name, connected);
  }

  async function create(more: Partial<WorkloadSpec> = {}, name = 'edge'): Promise<void> {
    await client.create(workloadResource, {
      metadata: { name },
      spec: {
        package: { formula: name },
        run: { command: ['serve'], restart: 'Always' },
        replicas: 2,
        spread: 'zone',
        resources: { cpus: 1, memoryBytes: 0 },
        moveAfterSeconds: 0,
        atOnce: 1,
        ...more,
      },
    });
  }

  function until(what: string, done: (workload: Workload) => boolean): Promise<Workload> {
    return eventually(what, async () => {
      const workload = await client.get(workloadResource, 'edge');
      return done(workload) ? workload : undefined;
    });
  }

  function where({ status }: Workload): readonly string[] {
    return (status?.placements ?? []).map(({ node, epoch, state }) => `${node}@${epoch} ${state}`);
  }

  async function installed(): Promise<readonly string[]> {
    const { items } = await client.list(installResource);
    return items.map(({ spec }) => spec.device).toSorted();
  }

  test('run on as many nodes as asked for, one a zone, and are ready', async () => {
    await create();
    const workload = await until('it is ready', ({ status }) => status?.counts?.ready === 2);
    expect(where(workload)).toEqual(['a1@1 Ready', 'b1@2 Ready']);
    expect(findCondition(workload.status?.conditions, 'Ready')).toMatchObject({
      status: 'True',
      message: '2 of 2 replicas are ready',
    });
    expect(await installed()).toEqual(['a1', 'b1']);
  });

  test('go elsewhere when a node dies, and do not come back with it', async () => {
    await create();
    await until('it is ready', ({ status }) => status?.counts?.ready === 2);
    await connect('a1', false);
    const moved = await until('it is ready elsewhere', (one) => where(one).includes('a2@3 Ready'));
    expect(where(moved)).toEqual(['b1@2 Ready', 'a2@3 Ready']);
    await eventually('the dead node has nothing to do', async () =>
      (await installed()).join() === 'a2,b1' ? true : undefined,
    );
    await connect('a1', true);
    await connect('b1', false);
    // The one that came back is a node like any other: it gets a new epoch.
    const again = await until('it is ready there', (one) => where(one).includes('a1@4 Ready'));
    expect(where(again)).toEqual(['a2@3 Ready', 'a1@4 Ready']);
  });

  test('leave a drained node once another one is ready', async () => {
    await create({ replicas: 1 });
    await until('it is ready', ({ status }) => status?.counts?.ready === 1);
    nodes.away.add('a2').add('b1');
    const body = { spec: { draining: true } };
    await client.patch(nodeResource, 'a1', { kind: 'merge', body });
    const both = await until('another one starts', (one) => where(one).length === 2);
    expect(where(both)).toEqual(['a1@1 Leaving', 'a2@2 Starting']);
    expect(await installed()).toContain('a1');
    // Now it starts.
    nodes.away.clear();
    const install = await eventually('it is there', () =>
      client.get(installResource, 'a2.edge').catch(() => undefined),
    );
    const { version, revision, image } = install.spec;
    await client.updateStatus(installResource, {
      ...install,
      status: {
        observedRevision: revision,
        state: 'Ready',
        active: { version, revision, digest: image.digest },
      },
    });
    const moved = await until('the old one is gone', (one) => where(one).length === 1);
    expect(where(moved)).toEqual(['a2@2 Ready']);
    await eventually('it is stopped', async () =>
      (await installed()).join() === 'a2' ? true : undefined,
    );
  });

  test('say why they have no node', async () => {
    await create({ replicas: 3, resources: { cpus: 3, memoryBytes: 0 } }, 'other');
    await eventually('the other one is placed', async () => {
      const { status } = await client.get(workloadResource, 'other');
      return status?.counts?.placed === 3 ? true : undefined;
    });
    await create({ replicas: 1, resources: { cpus: 2, memoryBytes: 0 } });
    const workload = await until('it says so', ({ status }) => status?.counts?.placed === 0);
    expect(findCondition(workload.status?.conditions, 'Scheduled')).toMatchObject({
      status: 'False',
      reason: 'NoNode',
      message: '0 of 1 replicas have a node; of the other nodes 3 × too few cores free',
    });
    await client.delete(workloadResource, 'other');
    await until('there is room', ({ status }) => status?.counts?.ready === 1);
  });

  test('leave nothing behind when they are deleted, and are found again after a restart', async () => {
    await create();
    await until('it is ready', ({ status }) => status?.counts?.ready === 2);
    await running[Symbol.asyncDispose]();
    await connect('b1', false);
    running = start();
    await until('it is ready elsewhere', (one) => where(one).includes('a2@3 Ready'));
    await client.delete(workloadResource, 'edge');
    await eventually('nothing is installed', async () =>
      (await installed()).length === 0 ? true : undefined,
    );
    const labels = await eventually('no label is left', async () => {
      const { items } = await client.list(deviceResource);
      const left = items.flatMap(({ metadata }) => Object.keys(metadata.labels ?? {}));
      return left.includes(workloadLabel('edge')) ? undefined : left;
    });
    expect(labels).toEqual(['zone', 'zone', 'zone']);
  });
});
