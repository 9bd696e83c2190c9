import { internalIdentity } from '@tapline/apiserver';
import { seededRng, silentLog, systemClock } from '@tapline/base';
import { createInProcessClient, type ResourceClient } from '@tapline/client';
import { builtInPlaybooks, startOpsBot } from '@tapline/opsbot';
import {
  type Channel,
  type ChannelEdge,
  channelEdgeResource,
  channelResource,
  type ChannelSpec,
  deviceResource,
  findCondition,
  nodeResource,
  type PlaybookSpec,
  playbookResource,
  type Remediation,
  remediationResource,
} from '@tapline/resources';
import { eventually } from '@tapline/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type MemoryApi, startMemoryApi } from '../testing/memory-api.ts';
import { setPresence } from '../testing/set-presence.ts';
import { startTestReconcilers } from '../testing/test-reconcilers.ts';

let memory: MemoryApi;
let client: ResourceClient;
let stack: AsyncDisposableStack;
/** Edges whose cache was flushed and not primed since; players miss what they ask. */
let cold: Set<string>;
/** Nodes whose edge answers too late. */
let slow: Set<string>;
const did: string[] = [];

beforeEach(async () => {
  did.length = 0;
  cold = new Set();
  slow = new Set();
  stack = new AsyncDisposableStack();
  memory = stack.use(await startMemoryApi());
  ({ client } = memory);
  const stop = new AbortController();
  const serving = serve(stop.signal);
  stack.defer(async () => {
    stop.abort();
    await serving.catch(() => undefined);
  });
  const running = stack.use(startTestReconcilers(client));
  await running.started;
  for (const name of ['e1', 'e2', 'e3']) await addNode(name);
  for (const { name, spec } of builtInPlaybooks) {
    if (!['low-hit-ratio', 'slow-stream', 'slow-channel'].includes(name)) continue;
    const guards = { ...spec.guards, settleSeconds: 0 };
    const changed = { ...spec, guards } as PlaybookSpec;
    await client.create(playbookResource, { metadata: { name }, spec: changed });
  }
  stack.use(
    startOpsBot({
      client: createInProcessClient(memory.api, internalIdentity('opsbot')),
      informers: running.informers,
      shared: false,
      identity: 'one',
      clock: systemClock,
      rng: seededRng(2),
      log: silentLog,
    }),
  );
  const spec = {
    origin: { url: 'https://origin.example/tv/news.m3u8' },
    edges: { replicas: 2, moveAfterSeconds: 0, leaveSeconds: 0 },
    objectives: { trafficHitRatio: 0.9 },
  } as unknown as ChannelSpec;
  await client.create(channelResource, { metadata: { name: 'news' }, spec });
  await until('it is ready', ({ status }) => status?.step === 'Ready');
});
afterEach(async () => {
  await stack[Symbol.asyncDispose]();
});

async function addNode(name: string): Promise<void> {
  await client.create(deviceResource, {
    metadata: { name },
    spec: { platform: 'linux/arm64', role: 'node' },
  });
  await setPresence(client, name, true);
  await eventually('it serves channels', async () => {
    const node = await client.get(nodeResource, name).catch(() => undefined);
    if (node === undefined) return undefined;
    const capacity = { cpus: 4, memoryBytes: 1000 };
    const status = { ...node.status, capacity, edge: { url: `http://${name}:8080` } };
    return await client.updateStatus(nodeResource, { ...node, status }).catch(() => undefined);
  });
}

/** Nodes that do what their ChannelEdges say, as agents do. */
async function serve(signal: AbortSignal): Promise<void> {
  for await (const event of client.watch(channelEdgeResource, { signal })) {
    if (event.kind === 'added' || event.kind === 'modified') await answer(event.object);
  }
}

async function answer(edge: ChannelEdge): Promise<void> {
  const { spec, status = {} } = edge;
  if ((status.flushed ?? 1) < spec.flush.generation) {
    did.push(`flush ${spec.node}${spec.flush.soft ? ' softly' : ''}`);
  }
  if ((status.primed?.generation ?? 0) < spec.prime.generation) {
    did.push(`prime ${spec.node}`);
    cold.delete(spec.node);
  }
  const hits = cold.has(spec.node) ? 10 : 99;
  const run = spec.validate?.run ?? status.validation?.run;
  const wanted = {
    observedEpoch: spec.epoch,
    state: 'Ready',
    url: `http://${spec.node}:8080`,
    flushed: spec.flush.generation,
    primed: { generation: spec.prime.generation, objects: 1, bytes: 9, failed: 0, seconds: 0 },
    recent: { requests: 100, hits, ratio: hits / 100, seconds: 1 },
    stream: { firstSegmentSeconds: slow.has(spec.node) ? 9 : 0.1 },
    ...(run !== undefined && {
      validation: { run, requests: 9, hits: 9, ratio: 1, seconds: 1, p99Ms: 1 },
    }),
  } as const;
  if (JSON.stringify(wanted) === JSON.stringify(status)) return;
  await client
    .updateStatus(channelEdgeResource, { ...edge, status: wanted })
    .catch(() => undefined);
}

/** What a node finds when it looks once more. */
async function look(): Promise<void> {
  for (const edge of (await client.list(channelEdgeResource)).items) await answer(edge);
}

function until(what: string, done: (channel: Channel) => boolean): Promise<Channel> {
  return eventually(what, async () => {
    const channel = await client.get(channelResource, 'news');
    return done(channel) ? channel : undefined;
  });
}

function untilDone(): Promise<Remediation> {
  return eventually('it is done', async () => {
    const { items } = await client.list(remediationResource);
    return items.find(({ status }) => status?.phase === 'Succeeded');
  });
}

function statusOf(channel: Channel, type: string): string | undefined {
  return findCondition(channel.status?.conditions, type)?.status;
}

test('cold caches are flushed and primed, each once, and nothing is done before', async () => {
  await until('it is well', (channel) => statusOf(channel, 'HitRatio') === 'True');
  expect((await client.list(remediationResource)).items).toEqual([]);
  did.length = 0;
  for (const name of ['e1', 'e2']) cold.add(name);
  await look();
  const { spec, status } = await untilDone();
  expect(spec).toMatchObject({
    playbook: 'low-hit-ratio',
    target: { kind: 'Channel', name: 'news' },
    reason: expect.stringMatching(/^\d+\.\d % of 200 requests in 1 s were hits, 90\.0 % /),
  });
  expect(status?.steps?.map(({ state }) => state)).toEqual(['Done', 'Done']);
  expect(did.toSorted()).toEqual(['flush e1 softly', 'flush e2 softly', 'prime e1', 'prime e2']);
  const channel = await until('it is well', (one) => statusOf(one, 'HitRatio') === 'True');
  expect(channel.spec.flush).toMatchObject({ generation: 2, soft: true });
  expect(channel.spec.prime.generation).toBe(2);
  expect((await client.list(remediationResource)).items).toHaveLength(1);
});

test('a slow edge is left, and may serve another time; where all are slow, none is', async () => {
  slow.add('e2');
  await look();
  const { spec, status } = await untilDone();
  expect(spec.playbook).toBe('slow-stream');
  expect(status?.plan?.[0]?.text).toBe('move workload news.channel away from node e2');
  const moved = await until('it is well', (one) => statusOf(one, 'Stream') === 'True');
  expect(moved.status?.edges?.map(({ node }) => node).toSorted()).toEqual(['e1', 'e3']);
  const { metadata } = await client.get(deviceResource, 'e2');
  expect(Object.keys(metadata.labels ?? {})).toEqual([]);

  for (const name of ['e1', 'e3']) slow.add(name);
  await look();
  await eventually('it is told, and primed', async () => {
    const { items } = await client.list(remediationResource);
    return items.find((one) => one.spec.playbook === 'slow-channel')?.status?.steps?.length === 2;
  });
  const now = await client.get(channelResource, 'news');
  expect(now.status?.edges?.map(({ node }) => node).toSorted()).toEqual(['e1', 'e3']);
});
