import { seededRng, silentLog, systemClock, TaplineError } from '@tapline/base';
import { type ChannelEdge, channelEdgeResource, type ChannelEdgeSpec } from '@tapline/resources';
import { eventually } from '@tapline/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { StreamSight } from '@tapline/edge-cache';
import { AgentState } from '../agent-state.ts';
import { startTestApi, type TestApi } from '../testing/start-test-api.ts';
import { type ChannelAgent, createChannelAgent, type EdgeHealth } from './channel-agent.ts';
import { edgeFileOf } from './edge-file-of.ts';

const spec: ChannelEdgeSpec = {
  channel: 'news',
  node: 'e1',
  epoch: 2,
  playlist: 'main.m3u8',
  origin: { base: 'https://origin.example/tv/' },
  cache: {
    playlistSeconds: 0.5,
    segmentSeconds: 1_209_600,
    negativeSeconds: 1,
    staleWhileRevalidateSeconds: 0,
    staleIfErrorSeconds: 60,
    maxObjectBytes: 1_000_000,
    rangeMiss: 'whole',
    limits: {
      concurrentRequests: 10,
      requestsPerSecond: 0,
      concurrentFetches: 5,
      memoryBytes: 0,
      diskBytes: 1_000_000,
    },
  },
  pathways: [],
  flush: { generation: 1, soft: false },
  prime: { generation: 1, lastSeconds: 30, objects: [], bytesPerSecond: 1_000_000 },
};

let api: TestApi;
let state: AgentState;
let agent: ChannelAgent;
let did: string[];
let figures: { hits: number; misses: number };
let stored = { memoryBytes: 0, diskBytes: 0 };
let look: () => Promise<StreamSight>;
let health: EdgeHealth[];
let isPortTaken: boolean;

beforeEach(async () => {
  api = await startTestApi('e1');
  state = await AgentState.open(undefined);
  did = [];
  figures = { hits: 0, misses: 0 };
  look = () => Promise.resolve({ firstSegmentSeconds: 0.2, asked: { requests: 3, hits: 3 } });
  health = [];
  isPortTaken = false;
  agent = start();
});

afterEach(async () => {
  await agent[Symbol.asyncDispose]();
  await state[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});

/** The program and what is asked of it are noted: they have tests of their own, with real ones. */
function start(): ChannelAgent {
  const asked = { requests: 10, hits: 5 };
  return createChannelAgent({
    node: 'e1',
    url: () => 'http://e1:8080',
    client: api.client,
    state,
    program: {
      url: 'http://127.0.0.1:8080',
      restarts: 0,
      serve(file) {
        const { channels } = JSON.parse(file) as { channels: readonly { name: string }[] };
        if (isPortTaken) throw new TaplineError('edge_not_started', 'port 8080 is taken');
        did.push(`serve ${channels.map(({ name }) => name).join()}`);
        return Promise.resolve();
      },
      figures: () => {
        const rest = { requests: 0, passes: 0, fetches: 0, originFailures: 0, ...stored };
        return Promise.resolve({ channels: { news: { ...rest, ...figures } } });
      },
      purge: (channel, { path }) =>
        Promise.resolve(void did.push(`purge ${channel} ${path ?? ''}`)),
    },
    jobs: {
      prime: ({ channel }) => {
        did.push(`prime ${channel}`);
        const primed = { generation: 1, objects: 1, bytes: 9, failed: 0, seconds: 0 };
        return Promise.resolve({ primed, asked });
      },
      validate: ({ channel, validate }) => {
        did.push(`validate ${channel}`);
        const run = validate?.run ?? 0;
        const validation = { run, requests: 10, hits: 5, ratio: 0.5, seconds: 1, p99Ms: 1 };
        return Promise.resolve({ validation, asked });
      },
      look: () => look(),
    },
    onEdge: (edge) => health.push(edge),
    clock: systemClock,
    rng: seededRng(1),
    log: silentLog,
  });
}

async function create(more: Partial<ChannelEdgeSpec> = {}): Promise<void> {
  const name = `${more.node ?? 'e1'}.${more.channel ?? 'news'}`;
  await api.client.create(channelEdgeResource, { metadata: { name }, spec: { ...spec, ...more } });
}

async function change(more: object): Promise<void> {
  const patch = { kind: 'merge', body: { spec: more } } as const;
  await api.client.patch(channelEdgeResource, 'e1.news', patch);
}

function until(what: string, done: (edge: ChannelEdge) => boolean): Promise<ChannelEdge> {
  return eventually(what, async () => {
    const edge = await api.client.get(channelEdgeResource, 'e1.news');
    return done(edge) ? edge : undefined;
  });
}

test('what a node is to serve is served, primed, put under load and flushed, each once', async () => {
  await create();
  await create({ node: 'e2' });
  const ready = await until('it is ready', ({ status }) => status?.state === 'Ready');
  expect(ready.status).toMatchObject({
    observedEpoch: 2,
    url: 'http://e1:8080',
    primed: { objects: 1, bytes: 9 },
    flushed: 1,
  });
  const validate = { run: 3, requests: 10, requestsPerSecond: 10, zipf: 0 };
  await change({ validate });
  await until('it was under load', ({ status }) => status?.validation?.run === 3);
  await change({ flush: { generation: 2, path: 'a.ts' } });
  await until('it is flushed', ({ status }) => status?.flushed === 2);
  const once = did.filter((one) => !one.startsWith('serve'));
  // It was primed for a while before the load came: what was new then is primed, too.
  expect(once).toEqual(['prime news', 'prime news', 'validate news', 'purge news a.ts']);
});

test('an older epoch is refused, and what was taken away ends', async () => {
  await create();
  await until('it is ready', ({ status }) => status?.state === 'Ready');
  await change({ epoch: 1 });
  const refused = await until('it is refused', ({ status }) => status?.error !== undefined);
  expect(refused.status?.error?.code).toBe('epoch_stale');
  await api.client.delete(channelEdgeResource, 'e1.news');
  await eventually('it ends', () => did.at(-1) === 'serve ');
});

test('a node without a channel stands by, and says when it cannot', async () => {
  await eventually('it stands by', () => did.at(-1) === 'serve ');
  expect(health).toEqual([{ edge: { url: 'http://e1:8080' }, edgeError: null }]);
  isPortTaken = true;
  await create();
  const failed = await until('it says so', ({ status }) => status?.state === 'Failed');
  expect(failed.status?.error?.code).toBe('edge_not_started');
  expect(health.at(-1)).toEqual({
    edge: null,
    edgeError: { code: 'edge_not_started', message: 'port 8080 is taken' },
  });
  isPortTaken = false;
  await until('it is ready', ({ status }) => status?.state === 'Ready');
  expect(health.at(-1)?.edge).toEqual({ url: 'http://e1:8080' });
});

test('an agent that starts again serves what it had, until it hears that there is nothing', async () => {
  await create();
  await until('it is ready', ({ status }) => status?.state === 'Ready');
  await agent[Symbol.asyncDispose]();
  await api.client.delete(channelEdgeResource, 'e1.news');
  did = [];
  agent = start();
  await eventually('it ends', () => did.at(-1) === 'serve ');
  expect(did[0]).toBe('serve news');
});

test('an edge that ended by itself is served and primed anew', async () => {
  await create();
  await until('it is ready', ({ status }) => status?.state === 'Ready');
  did = [];
  agent.restarted();
  await eventually('it is primed', () => did.includes('prime news'));
  expect(did[0]).toBe('serve news');
});

test('the file of an edge has players begin on it while there is no other', () => {
  const file = edgeFileOf([spec], { url: 'http://e1:8080' });
  expect(JSON.parse(file)).toMatchObject({
    channels: [
      {
        name: 'news',
        prefix: '/news/',
        origins: ['https://origin.example/tv'],
        defaults: { playlist: '500ms', segment: '20160m', negative: '1000ms' },
        entry: { playlist: 'main.m3u8', pathways: [{ id: 'e1', url: 'http://e1:8080' }] },
      },
    ],
  });
});

test('what cannot be noted is not served, and is noted once the disk has room', async () => {
  const putMeta = state.putMeta.bind(state);
  let isFull = true;
  state.putMeta = (key, value) => {
    if (isFull) throw new Error('ENOSPC: no space left on device');
    putMeta(key, value);
  };
  await create();
  await systemClock.sleep(300);
  expect(did.filter((one) => one !== 'serve ')).toEqual([]);
  isFull = false;
  await until('it is ready', ({ status }) => status?.state === 'Ready');
  expect(state.meta('channels')).toMatchObject([{ name: 'e1.news', spec: { epoch: 2 } }]);
});

test('a flush is done once, also by an agent that starts again', async () => {
  await create({ flush: { generation: 3, soft: true } });
  await until('it is flushed', ({ status }) => status?.flushed === 3);
  await agent[Symbol.asyncDispose]();
  did = [];
  agent = start();
  await eventually('it is primed', () => did.includes('prime news'));
  expect(did.filter((one) => one.startsWith('purge'))).toEqual([]);
});

test('what players get lately is told without what the agent asked, and how a stream comes', async () => {
  await create();
  await until('it is ready', ({ status }) => status?.state === 'Ready');
  await eventually('a first count', async () => {
    const { status } = await api.client.get(channelEdgeResource, 'e1.news');
    return status?.traffic;
  });
  // Of these, ten were the priming's, and five of its hits.
  figures = { hits: 55, misses: 45 };
  stored = { memoryBytes: 5000, diskBytes: 70_000 };
  const { status } = await until('what is lately', (one) => one.status?.recent?.requests === 90);
  expect(status?.recent).toMatchObject({ requests: 90, hits: 50, ratio: 0.5556 });
  const told = await until('what it keeps', (one) => one.status?.storage?.diskBytes === 70_000);
  expect(told.status?.storage).toEqual(stored);
  look = () => Promise.reject(new Error('main.m3u8 answers 502'));
  const failed = await until('it was looked at', (one) => one.status?.stream !== undefined);
  expect(failed.status?.stream).toEqual({ failure: 'main.m3u8 answers 502' });
});
