import { request as httpRequest } from 'node:http';
import { KubeConfig, makeInformer } from '@kubernetes/client-node';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { deviceResource } from '@tapline/resources';
import { openMemoryStore } from '@tapline/store';
import { serveForTest, type TestServer } from '../testing/serve-for-test.ts';

let server: TestServer;
beforeEach(async () => {
  server = await serveForTest();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

const devices = '/apis/tapline.dev/v1alpha1/devices';

function device(name: string, labels: Record<string, string> = {}): object {
  return { metadata: { name, labels }, spec: { platform: 'linux/arm64' } };
}

interface Line {
  readonly type: string;
  readonly object: {
    readonly kind: string;
    readonly code?: number;
    readonly metadata: {
      readonly name?: string;
      readonly resourceVersion: string;
      readonly annotations?: Readonly<Record<string, string>>;
    };
    readonly columnDefinitions?: unknown;
  };
}

interface OpenWatch extends AsyncDisposable {
  readonly lines: readonly Line[];
  readonly status: number;
  readonly ended: () => boolean;
}

/** Follows a watch, collecting its lines. */
async function watch(query: string, options: { accept?: string } = {}): Promise<OpenWatch> {
  const lines: Line[] = [];
  const bearer = await server.token('watcher', ['system:masters']);
  let rest = '';
  let ended = false;
  const sent = httpRequest(`${server.url}${devices}?watch=true&${query}`, {
    agent: false,
    headers: { authorization: `Bearer ${bearer}`, accept: options.accept ?? 'application/json' },
  });
  const answer = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve).on('error', reject).end();
  });
  answer.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) lines.push(JSON.parse(part) as Line);
  });
  answer.on('end', () => (ended = true)).on('error', () => (ended = true));
  sent.on('error', () => (ended = true));
  return {
    lines,
    status: answer.statusCode ?? 0,
    ended: () => ended,
    async [Symbol.asyncDispose]() {
      sent.destroy();
      await Promise.resolve();
    },
  };
}

function summary({ lines }: OpenWatch): readonly string[] {
  return lines.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`);
}

async function create(name: string, labels: Record<string, string> = {}): Promise<string> {
  const { body } = await server.send('POST', devices, { body: device(name, labels) });
  return (body['metadata'] as { resourceVersion: string }).resourceVersion;
}

test('a watch sends the state, then changes, each with its revision', async () => {
  await create('a');
  await using open = await watch('');
  const second = await create('b');
  await server.send('DELETE', `${devices}/a`);
  await vi.waitFor(() => expect(summary(open)).toEqual(['ADDED a', 'ADDED b', 'DELETED a']));
  expect(open.lines[1]?.object.metadata.resourceVersion).toBe(second);
  expect(Number(open.lines[2]?.object.metadata.resourceVersion)).toBeGreaterThan(Number(second));
});

test('a watch goes on after a revision, also one older than the recent events', async () => {
  const start = await create('a');
  await create('b');
  await using open = await watch(`resourceVersion=${start}`);
  await vi.waitFor(() => expect(summary(open)).toEqual(['ADDED b']));
  // A server that starts now has no recent events: it has to read history.
  await using other = await serveForTest({ store: server.store });
  const former = server;
  server = other;
  await using later = await watch(`resourceVersion=${start}`);
  server = former;
  await vi.waitFor(() => expect(summary(later)).toEqual(['ADDED b']));
});

test('what leaves a selection is deleted for its watcher, with its last state', async () => {
  await using open = await watch('labelSelector=team%3Da');
  await create('x', { team: 'a' });
  await create('y', { team: 'b' });
  const move = (name: string, team: string) =>
    server.send('PATCH', `${devices}/${name}`, {
      body: { metadata: { labels: { team } } },
      type: 'application/merge-patch+json',
    });
  await move('x', 'b');
  await move('y', 'a');
  await vi.waitFor(() => expect(summary(open)).toEqual(['ADDED x', 'DELETED x', 'ADDED y']));
});

test('a compacted revision is 410, one that never was too', async () => {
  const start = await create('a');
  await create('b');
  await server.store.compact(server.store.revision);
  await using open = await watch(`resourceVersion=${start}`);
  expect(open.status).toBe(410);
  await using future = await watch('resourceVersion=999999');
  expect(future.status).toBe(410);
});

test('sendInitialEvents ends the state with a bookmark that says so', async () => {
  await create('a');
  await using open = await watch(
    'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true',
  );
  await vi.waitFor(() => expect(open.lines).toHaveLength(2));
  expect(open.lines[1]).toMatchObject({
    type: 'BOOKMARK',
    object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
  });
});

test('a watch lasts no longer than the server says, whatever timeoutSeconds', async () => {
  await server[Symbol.asyncDispose]();
  server = await serveForTest({ limits: { watchTimeoutMs: 300 } });
  // More than a timer can count, too.
  for (const seconds of ['3600', '99999999999']) {
    const start = performance.now();
    await using open = await watch(`timeoutSeconds=${seconds}`);
    await vi.waitFor(() => expect(open.ended()).toBe(true), { timeout: 5000, interval: 10 });
    expect(performance.now() - start).toBeGreaterThan(250);
  }
});

test('bookmarks come by themselves, and timeoutSeconds ends a watch', async () => {
  await using quick = await serveForTest({ limits: { bookmarkMs: 20 } });
  const former = server;
  server = quick;
  await using open = await watch('allowWatchBookmarks=true&timeoutSeconds=1');
  server = former;
  await vi.waitFor(() => expect(open.lines[0]?.type).toBe('BOOKMARK'));
  await vi.waitFor(() => expect(open.ended()).toBe(true), { timeout: 5000 });
});

test('a watch of tables sends its columns once', async () => {
  await create('a');
  await using open = await watch('', { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
  await create('b');
  await vi.waitFor(() => expect(open.lines).toHaveLength(2));
  const columns = open.lines.map(({ object }) => object.columnDefinitions);
  expect(columns).toEqual([expect.any(Array), null]);
});

test('watches of one user are limited', async () => {
  await using small = await serveForTest({ limits: { maxWatchesPerUser: 2 } });
  const former = server;
  server = small;
  await using one = await watch('');
  await using two = await watch('');
  await using three = await watch('');
  server = former;
  expect([one.status, two.status, three.status]).toEqual([200, 200, 429]);
});

test('a client that does not read is dropped, and the others are not', async () => {
  await using small = await serveForTest({ limits: { maxBufferedWatchBytes: 64 * 1024 } });
  const former = server;
  server = small;
  try {
    await using reader = await watch('');
    const bearer = await server.token('slow', ['system:masters']);
    const slow = httpRequest(`${server.url}${devices}?watch=true`, {
      agent: false,
      headers: { authorization: `Bearer ${bearer}` },
    });
    const answer = await new Promise<import('node:http').IncomingMessage>((resolve) => {
      slow.on('response', resolve).end();
    });
    answer.pause();
    const annotations = { filler: 'x'.repeat(200_000) };
    for (let index = 0; index < 60; index += 1) {
      const body = { ...device(`d${index}`), metadata: { name: `d${index}`, annotations } };
      await server.send('POST', devices, { body });
    }
    await vi.waitFor(() => expect(reader.lines).toHaveLength(60));
    const { body } = await server.send('GET', '/metrics');
    expect(body['text']).toContain('tapline_api_slow_watches_total 1');
    let bytes = 0;
    for await (const chunk of answer as AsyncIterable<Buffer>) bytes += chunk.length;
    // It ends cleanly after what was buffered, so that it can go on from there.
    expect(answer.complete).toBe(true);
    expect(bytes).toBeLessThan(60 * 200_000);
    slow.destroy();
  } finally {
    server = former;
  }
});

test("Kubernetes's own informer stays in step through a restart on the same store", async () => {
  const store = openMemoryStore();
  let running = await serveForTest({ store });
  const { port } = running;
  const token = await running.token('informer', ['system:masters']);
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'c', server: running.url, skipTLSVerify: true }],
    users: [{ name: 'u', token }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  });
  const list = async (): Promise<never> => {
    const answer = await fetch(`${running.url}${devices}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return (await answer.json()) as never;
  };
  const informer = makeInformer(config, devices, list);
  const names = (): readonly string[] =>
    informer
      .list()
      .map((one) => one.metadata?.name ?? '')
      .toSorted();
  informer.on('error', () => {
    setTimeout(() => void informer.start().catch(() => undefined), 50);
  });
  const { operations } = running.api;
  await operations.create(running.root, deviceResource, device('a'));
  try {
    await informer.start();
    await operations.create(running.root, deviceResource, device('b'));
    await vi.waitFor(() => expect(names()).toEqual(['a', 'b']));
    await running[Symbol.asyncDispose]();
    running = await serveForTest({ store, port });
    await running.api.operations.delete(running.root, deviceResource, { name: 'a' });
    await running.api.operations.create(running.root, deviceResource, device('c'));
    await vi.waitFor(() => expect(names()).toEqual(['b', 'c']), { timeout: 10_000 });
  } finally {
    await informer.stop();
    await running[Symbol.asyncDispose]();
  }
});
