import { join } from 'node:path';
import { type Log, silentLog, systemClock, systemRng } from '@tapline/base';
import { createHttpClient, type WatchEvent } from '@tapline/client';
import {
  connectSession,
  enrolDevice,
  newDeviceKey,
  type Session,
  TunnelAgent,
} from '@tapline/gateway';
import { type Install, installResource, type InstallStatus } from '@tapline/resources';
import { temporaryFolder } from '@tapline/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTestControlPlane, type TestControlPlane } from '../testing/test-control-plane.ts';
import { feedOverApi } from './feed-over-api.ts';
import { feedOverCalls } from './feed-over-calls.ts';
import { feedWithFallback } from './feed-with-fallback.ts';
import type { InstallFeed } from './install-feed.ts';

const opened = new AsyncDisposableStack();
let plane: TestControlPlane;
let session: Session;

/** A control plane with one device, d1, in its tunnel. */
async function openDevice(name: string, options: { readonly servesNoCalls?: boolean } = {}) {
  const folder = opened.use(await temporaryFolder());
  const control = opened.use(await startTestControlPlane(join(folder.path, name), options));
  const identity = await enrolDevice({
    server: control.url,
    token: await control.makeToken(),
    name: 'd1',
    platform: 'linux/amd64',
    privateKeyPem: newDeviceKey(),
    clock: systemClock,
  });
  const connected = opened.use(
    connectSession({
      server: control.url,
      tls: () => ({
        ca: identity.caPem,
        cert: identity.certificatePem,
        key: identity.privateKeyPem,
      }),
      report: () => ({
        agentVersion: '1',
        platform: 'linux/amd64',
        bootId: 'boot',
        runtimes: [],
      }),
      service: {},
      clock: systemClock,
      rng: systemRng,
      log: silentLog,
      baseBackoffMs: 20,
      maxBackoffMs: 100,
    }),
  );
  return { plane: control, session: connected };
}

let planes: Readonly<Record<'newest' | 'older', Awaited<ReturnType<typeof openDevice>>>>;
beforeAll(async () => {
  planes = {
    newest: await openDevice('newest'),
    older: await openDevice('older', { servesNoCalls: true }),
  };
});
afterAll(() => opened.disposeAsync());

function overApi(): InstallFeed {
  const tunnel = session;
  return feedOverApi(
    opened.use(
      createHttpClient({
        baseUrl: 'http://api.tapline',
        credentials: { kind: 'none' },
        userAgent: 'test',
        agent: new TunnelAgent(() => tunnel.openHttp('api', { class: 'interactive' })),
        clock: systemClock,
      }),
    ),
    'd1',
  );
}

function overCalls(): InstallFeed {
  const tunnel = session;
  return feedOverCalls(() => tunnel.calls());
}

const warnings: string[] = [];
const log: Log = { ...silentLog, warn: (message) => void warnings.push(message) };

const feeds: Readonly<
  Record<string, { readonly of: keyof typeof planes; readonly open: () => InstallFeed }>
> = {
  'requests to the API': { of: 'newest', open: overApi },
  'calls to the gateway': { of: 'newest', open: overCalls },
  'calls where the gateway knows none': {
    of: 'older',
    open: () => feedWithFallback({ calls: overCalls(), api: overApi(), log }),
  },
};

describe.each(Object.entries(feeds))('by %s, a device', (_, { of, open }) => {
  const feed = lazily(open);
  beforeAll(() => {
    ({ plane, session } = planes[of]);
  });
  const stopping = new Set<AbortController>();
  afterEach(async () => {
    for (const one of stopping) one.abort();
    stopping.clear();
    for (const { metadata } of (await plane.client.list(installResource)).items) {
      await plane.client.delete(installResource, metadata.name);
    }
  });

  /** What the device hears of after that. */
  function follow(resourceVersion: string): {
    readonly events: WatchEvent<Install>[];
    readonly ended: Promise<unknown>;
    readonly stop: () => void;
  } {
    const events: WatchEvent<Install>[] = [];
    const stop = new AbortController();
    stopping.add(stop);
    const ended = (async () => {
      const heard = feed().watch(installResource, { resourceVersion, signal: stop.signal });
      for await (const event of heard) if (event.kind !== 'bookmark') events.push(event);
      return 'ended';
    })().catch((error: unknown) => error);
    return { events, ended, stop: () => stop.abort() };
  }

  test('is told its own Installs, then what changes of them, from wherever it was', async () => {
    const own = await create('d1.jq');
    await create('d2.jq', 'd2');
    const list = await feed().list(installResource);
    expect(list.items.map(({ metadata }) => metadata.name)).toEqual(['d1.jq']);
    expect(list.items[0]?.spec).toEqual(own.spec);
    const { events, ended, stop } = follow(list.resourceVersion);
    await create('d2.yq', 'd2');
    await plane.client.patch(installResource, 'd1.jq', {
      kind: 'merge',
      body: { spec: { revision: 2 } },
    });
    await vi.waitFor(() => expect(events).toHaveLength(1));
    await plane.client.delete(installResource, 'd1.jq');
    await vi.waitFor(() => expect(events).toHaveLength(2));
    expect(events).toMatchObject([
      { kind: 'modified', object: { metadata: { uid: own.metadata.uid }, spec: { revision: 2 } } },
      { kind: 'deleted', object: { metadata: { uid: own.metadata.uid } } },
    ]);
    // Nobody followed for a while.
    const later = follow(list.resourceVersion);
    await vi.waitFor(() => expect(later.events).toHaveLength(2));
    expect(later.events).toEqual(events);
    stop();
    expect(await ended).toBe('ended');
  });

  test('hears where that is too long ago', async () => {
    const { resourceVersion } = await feed().list(installResource);
    await create('d1.jq');
    await plane.client.delete(installResource, 'd1.jq');
    await plane.compact();
    expect(await follow(resourceVersion).ended).toMatchObject({ code: 'expired' });
  });

  test('says how one stands, in place of what it said before', async () => {
    const { name: own, uid } = nameOf(await create('d1.jq'));
    const failed: InstallStatus = {
      observedRevision: 1,
      state: 'Failed',
      active: { version: '1', digest: `sha256:${'a'.repeat(64)}`, revision: 1 },
      stages: { pulled: 0.25 },
      error: { code: 'health_failed', message: 'it does not start', hint: 'look at its log' },
    };
    await feed().report({ name: own, uid }, failed);
    expect((await plane.client.get(installResource, own)).status).toEqual(failed);
    const ready = { observedRevision: 2, state: 'Ready', stages: { pulled: 0.5 } } as const;
    await feed().report({ name: own, uid }, ready);
    expect((await plane.client.get(installResource, own)).status).toEqual(ready);
  });

  test('says nothing of another’s, of one that is gone, or what no status is', async () => {
    const own = nameOf(await create('d1.jq'));
    const foreign = nameOf(await create('d2.jq', 'd2'));
    const ready = { state: 'Ready' } as const;
    await expect(feed().report(foreign, ready)).rejects.toMatchObject({ code: 'forbidden' });
    const another = { ...own, uid: '00000000-0000-4000-8000-000000000000' };
    await expect(feed().report(another, ready)).rejects.toMatchObject({ code: 'conflict' });
    const wrong = { state: 'Splendid' } as unknown as InstallStatus;
    await expect(feed().report(own, wrong)).rejects.toMatchObject({ code: 'invalid' });
    await plane.client.delete(installResource, own.name);
    await expect(feed().report(own, ready)).rejects.toMatchObject({ code: 'forbidden' });
    expect((await plane.client.get(installResource, foreign.name)).status).toBeUndefined();
  });

  test('goes on after its gateway was away', async () => {
    const { resourceVersion } = await feed().list(installResource);
    const cut = follow(resourceVersion);
    await plane.goAway();
    await plane.comeBack();
    // Its own connection was cut, too.
    const created = await vi.waitFor(() => create('d1.jq'), { timeout: 10_000 });
    const { name: own, uid } = nameOf(created);
    await vi.waitFor(() => expect(cut.events).toHaveLength(1), { timeout: 10_000 });
    await vi.waitFor(() => feed().report({ name: own, uid }, { state: 'Ready' }), {
      timeout: 10_000,
    });
  });
});

test('that a gateway knows no calls is said once, whatever was asked of it', () => {
  expect(warnings).toEqual([
    'the gateway does not serve calls of Installs: they are watched by the API instead',
  ]);
});

async function create(name: string, device = 'd1'): Promise<Install> {
  return await plane.client.create(installResource, {
    metadata: { name },
    spec: {
      device,
      delivery: 'jq',
      formula: 'jq',
      version: '1',
      revision: 1,
      image: {
        repository: 'jq',
        digest: `sha256:${'a'.repeat(64)}`,
        platform: 'linux/amd64',
        sizeBytes: 1,
        unpackedBytes: 1,
      },
      run: { command: ['jq'], restart: 'Always', env: { A: 'b' } },
      health: {
        command: ['jq', '--version'],
        timeoutSeconds: 0.5,
        attempts: 2,
        intervalSeconds: 1,
      },
      limits: { memoryBytes: 2 ** 40 },
    },
  });
}

function nameOf({ metadata: { name, uid = '' } }: Install): { name: string; uid: string } {
  return { name, uid };
}

/** What there is one of, once it is asked for. */
function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
