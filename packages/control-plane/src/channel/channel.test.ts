import type { ResourceClient } from '@tapline/client';
import {
  type Channel,
  type ChannelEdge,
  channelEdgeResource,
  type ChannelEdgeStatus,
  channelResource,
  type ChannelSpec,
  channelSteps,
  deviceResource,
  findCondition,
  nodeResource,
  workloadResource,
} from '@tapline/resources';
import { eventually } from '@tapline/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Reconcilers } from '../start-reconcilers.ts';
import { type MemoryApi, startMemoryApi } from '../testing/memory-api.ts';
import { setPresence } from '../testing/set-presence.ts';
import { startTestReconcilers } from '../testing/test-reconcilers.ts';

/** Nodes that serve what they get, prime it and have it under load, unless they are away. */
class EdgeNodes implements AsyncDisposable {
  readonly away = new Set<string>();
  hits = 95;
  readonly #client: ResourceClient;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(client: ResourceClient) {
    this.#client = client;
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for await (const event of this.#client.watch(channelEdgeResource, { signal })) {
      if (event.kind === 'added' || event.kind === 'modified') await this.answer(event.object);
    }
  }

  async answer(edge: ChannelEdge): Promise<void> {
    const { spec, status } = edge;
    if (this.away.has(spec.node)) return;
    const run = spec.validate?.run;
    if (status?.observedEpoch === spec.epoch && (status.validation?.run ?? run) === run) return;
    const answer: ChannelEdgeStatus = {
      observedEpoch: spec.epoch,
      state: 'Ready',
      url: `http://${spec.node}:8080`,
      primed: { generation: 1, objects: 3, bytes: 300, failed: 0, seconds: 0.1 },
      ...(run !== undefined && {
        validation: {
          run,
          requests: 100,
          hits: this.hits,
          ratio: this.hits / 100,
          misses: { content: 100 - this.hits, health: 0, other: 0 },
          seconds: 1,
          p99Ms: 2,
        },
      }),
    };
    await this.#client
      .updateStatus(channelEdgeResource, { ...edge, status: answer })
      .catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running.catch(() => undefined);
  }
}

describe('channels', () => {
  let memory: MemoryApi;
  let client: ResourceClient;
  let nodes: EdgeNodes;
  let running: Reconcilers;

  beforeEach(async () => {
    memory = await startMemoryApi();
    ({ client } = memory);
    nodes = new EdgeNodes(client);
    running = startTestReconcilers(client);
    await running.started;
    for (const name of ['e1', 'e2', 'e3']) await addNode(name);
  });

  afterEach(async () => {
    await running[Symbol.asyncDispose]();
    await nodes[Symbol.asyncDispose]();
    await memory[Symbol.asyncDispose]();
  });

  async function addNode(name: string, { serves = true } = {}): Promise<void> {
    await client.create(deviceResource, {
      metadata: { name },
      spec: { platform: 'linux/arm64', role: 'node' },
    });
    await connect(name, true);
    await eventually('it has a Node', async () => {
      const node = await client.get(nodeResource, name).catch(() => undefined);
      if (node === undefined) return undefined;
      const edge = serves ? { edge: { url: `http://${name}:8080` } } : {};
      const status = { ...node.status, capacity: { cpus: 4, memoryBytes: 1000 }, ...edge };
      return await client.updateStatus(nodeResource, { ...node, status }).catch(() => undefined);
    });
  }

  async function connect(name: string, connected: boolean): Promise<void> {
    if (connected) nodes.away.delete(name);
    else nodes.away.add(name);
    await setPresence(client, name, connected);
  }

  /** The server fills in the defaults. */
  async function create(more: object = {}): Promise<void> {
    const given = {
      origin: { url: 'https://origin.example/tv/news.m3u8' },
      edges: { replicas: 2, moveAfterSeconds: 0, leaveSeconds: 0 },
      ...more,
    };
    await client.create(channelResource, {
      metadata: { name: 'news' },
      spec: given as ChannelSpec,
    });
  }

  function until(what: string, done: (channel: Channel) => boolean): Promise<Channel> {
    return eventually(what, async () => {
      const channel = await client.get(channelResource, 'news');
      return done(channel) ? channel : undefined;
    });
  }

  function where({ status }: Channel): readonly string[] {
    return (status?.edges ?? []).map(({ node, epoch, state }) => `${node}@${epoch} ${state}`);
  }

  const isReady = (channel: Channel): boolean => channel.status?.step === 'Ready';

  test('go through their steps, each timed, and give players the way over all edges', async () => {
    await create();
    const channel = await until('it is ready', isReady);
    expect(where(channel)).toEqual(['e1@1 Ready', 'e2@2 Ready']);
    for (const type of channelSteps) {
      expect(findCondition(channel.status?.conditions, type)?.status).toBe('True');
    }
    expect(findCondition(channel.status?.conditions, 'Validated')?.message).toBe(
      '95.0 % of 200 requests were hits, 90.0 % are asked for',
    );
    expect(channel.status).toMatchObject({
      url: 'http://e1:8080/news/~tapline/index.m3u8',
      primed: { objects: 6, bytes: 600, failed: 0 },
      validation: { requests: 200, hits: 190, ratio: 0.95 },
    });
    const { total = 0, ...stages } = channel.status?.stages ?? {};
    expect(Object.keys(stages)).toEqual(['segment', 'scheduled', 'cached', 'primed', 'validated']);
    expect(Object.values(stages).reduce((sum, one) => sum + one, 0)).toBeCloseTo(total, 5);
    const edge = await eventually('both are ways of each', async () => {
      const one = await client.get(channelEdgeResource, 'e2.news');
      return one.spec.pathways.length === 2 ? one : undefined;
    });
    expect(edge.spec).toMatchObject({
      epoch: 2,
      playlist: 'news.m3u8',
      origin: { base: 'https://origin.example/tv/' },
      pathways: [
        { node: 'e1', url: 'http://e1:8080' },
        { node: 'e2', url: 'http://e2:8080' },
      ],
    });
    // What was reached is not asked of the edges again.
    expect(edge.spec.validate).toBeUndefined();
  });

  test('are served elsewhere when a node dies; one that comes back has nothing to serve', async () => {
    await create();
    await until('it is ready', isReady);
    await connect('e1', false);
    const moved = await until('it is ready elsewhere', (one) => where(one).includes('e3@3 Ready'));
    expect(where(moved)).toEqual(['e2@2 Ready', 'e3@3 Ready']);
    expect(moved.status?.url).toBe('http://e2:8080/news/~tapline/index.m3u8');
    await eventually('the dead one has nothing to do', async () => {
      const { items } = await client.list(channelEdgeResource);
      return items.map(({ spec }) => spec.node).join() === 'e2,e3' ? true : undefined;
    });
    await connect('e1', true);
    const { spec } = await client.get(workloadResource, 'news.channel');
    expect(spec.engine).toEqual({ channel: 'news' });
  });

  test('leave a drained node without losing players that are on it', async () => {
    const edges = { replicas: 1, moveAfterSeconds: 0, leaveSeconds: 3600 };
    await create({ edges: edges as ChannelSpec['edges'] });
    await until('it is ready', isReady);
    nodes.away.add('e2');
    const body = { spec: { draining: true } };
    await client.patch(nodeResource, 'e1', { kind: 'merge', body });
    // The other one is not primed yet: nobody is sent away.
    const both = await until('another one starts', (one) => where(one).length === 2);
    expect(where(both)).toEqual(['e1@1 Leaving', 'e2@2 Starting']);
    nodes.away.clear();
    await nodes.answer(await client.get(channelEdgeResource, 'e2.news'));
    await until('it is on the other', (one) => where(one).join() === 'e2@2 Ready');
    const leaving = await eventually('the first one leaves', async () => {
      const edge = await client.get(channelEdgeResource, 'e1.news');
      return edge.spec.leavingAt === undefined ? undefined : edge;
    });
    expect(leaving.spec.pathways).toEqual([{ node: 'e2', url: 'http://e2:8080' }]);
    // Its time is over.
    await client.patch(channelResource, 'news', {
      kind: 'merge',
      body: { spec: { edges: { leaveSeconds: 0 } } },
    });
    await eventually('it is gone', async () => {
      const { items } = await client.list(channelEdgeResource);
      return items.length === 1 ? true : undefined;
    });
  });

  test('are not ready below their objective, and say what the misses were', async () => {
    nodes.hits = 40;
    await create({ objectives: { hitRatio: 0.8 } });
    const channel = await until('it was under load', ({ status }) => {
      return findCondition(status?.conditions, 'Validated')?.reason === 'BelowObjective';
    });
    expect(channel.status?.step).toBe('Validated');
    expect(findCondition(channel.status?.conditions, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'BelowObjective',
      message:
        '40.0 % of 200 requests were hits, 80.0 % are asked for; misses: 120 for content, 0 for health, 0 other',
    });
    nodes.hits = 90;
    const body = { spec: { validate: { generation: 2 } } };
    await client.patch(channelResource, 'news', { kind: 'merge', body });
    await until('it is ready', isReady);
  });

  test('say why they are not served: origin, segment, nodes', async () => {
    const origin = { url: 'https://o.example/a/x.m3u8', base: 'https://o.example/b/' };
    await create({ origin, segment: 'tv' });
    const invalid = await until('it is looked at', ({ status }) => status?.step === 'Invalid');
    expect(invalid.status?.error?.code).toBe('invalid_origin');
    const url = 'https://o.example/b/x.m3u8';
    const patch = (spec: object) =>
      client.patch(channelResource, 'news', { kind: 'merge', body: { spec } });
    await patch({ origin: { url } });
    const waiting = await until('it waits', ({ status }) => status?.step === 'Segment');
    expect(findCondition(waiting.status?.conditions, 'Ready')?.message).toBe(
      'segment tv does not exist',
    );
    await patch({ segment: null, edges: { replicas: 4 } });
    await addNode('e4', { serves: false });
    const unplaced = await until('it has too few nodes', ({ status }) => {
      const { message = '' } = findCondition(status?.conditions, 'Scheduled') ?? {};
      return message.includes('serves no channels');
    });
    expect(unplaced.status?.step).toBe('Scheduled');
    await client.delete(channelResource, 'news');
    await eventually('nothing of it is left', async () => {
      const edges = await client.list(channelEdgeResource);
      const workloads = await client.list(workloadResource);
      return edges.items.length + workloads.items.length === 0 ? true : undefined;
    });
  });
});
