import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '@tapline/testing';
import { expect, test } from 'vitest';
import { channelSettings } from '../channel/channel-settings.ts';
import { signTarget } from '../channel/signed-target.ts';
import { startOrigin } from '../testing/start-origin.ts';
import { startEdgeCache } from './start-edge-cache.ts';

test('stale while it is renewed: nobody waits, and one request renews', async () => {
  let version = 0;
  await using origin = await startOrigin(async (_, response) => {
    version += 1;
    const mine = version;
    if (mine > 1) await delay(300);
    response.setHeader('cache-control', 'max-age=1, stale-while-revalidate=60');
    response.end(String(mine));
  });
  await using edge = await startEdgeCache({
    channels: [channelSettings({ name: 'c', origins: [origin.url] })],
  });
  const get = async (): Promise<string> => (await fetch(`${edge.url}/a`)).text();
  expect(await get()).toBe('1');
  await eventually('it is stale', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, get));
    return origin.asked.length === 2 && answers.every((text) => text === '1');
  });
  await eventually('the new one', async () => (await get()) === '2');
  expect(edge.counters.staleHits).toBeGreaterThan(0);
});

test('stale if the origin fails, unless the response forbids it', async () => {
  let fails: 'no' | 'status' | 'cut' = 'no';
  await using origin = await startOrigin((request, response) => {
    if (fails === 'cut') request.socket.destroy();
    else {
      const strict = request.url === '/strict';
      response.statusCode = fails === 'status' ? 503 : 200;
      response.setHeader(
        'cache-control',
        strict ? 'max-age=0, must-revalidate' : 'max-age=0, stale-if-error=60',
      );
      response.setHeader('etag', '"a"');
      response.end(fails === 'no' ? 'body' : 'sorry');
    }
  });
  await using edge = await startEdgeCache({
    channels: [
      channelSettings({ name: 'c', origins: [origin.url], breaker: { failures: 100, openMs: 1 } }),
    ],
  });
  for (const target of ['/lax', '/strict']) await (await fetch(edge.url + target)).text();
  for (const [way, status] of [
    ['status', 503],
    ['cut', 502],
  ] as const) {
    fails = way;
    expect(await (await fetch(`${edge.url}/lax`)).text()).toBe('body');
    expect((await fetch(`${edge.url}/strict`)).status).toBe(status);
  }
});

test('errors are kept for a moment, so that the origin is not asked by all', async () => {
  await using origin = await startOrigin((_, response) => void response.writeHead(404).end('none'));
  await using edge = await startEdgeCache({
    channels: [
      channelSettings({
        name: 'c',
        origins: [origin.url],
        defaults: { playlistMs: 1, segmentMs: 1, negativeMs: 60_000 },
      }),
    ],
  });
  for (let round = 0; round < 5; round += 1)
    expect((await fetch(`${edge.url}/x`)).status).toBe(404);
  expect(origin.asked).toHaveLength(1);
});

test('a purge while a response is on its way holds for that response, too', async () => {
  let release: (() => void) | undefined;
  let version = 0;
  await using origin = await startOrigin(async (_, response) => {
    version += 1;
    response.setHeader('cache-control', 'max-age=60');
    response.setHeader('surrogate-key', 'show');
    response.write(`${version} `);
    if (version === 1) await new Promise<void>((resolve) => (release = resolve));
    response.end('x');
  });
  await using edge = await startEdgeCache({
    channels: [channelSettings({ name: 'c', origins: [origin.url] })],
  });
  const first = fetch(`${edge.url}/a`);
  await eventually('it is on its way', () => release !== undefined);
  await edge.purge({ kind: 'tag', channel: 'c', tag: 'show' }, 'hard');
  release?.();
  expect(await (await first).text()).toBe('1 x');
  expect(await (await fetch(`${edge.url}/a`)).text()).toBe('2 x');
  expect(await (await fetch(`${edge.url}/a`)).text()).toBe('2 x');
});

test('signed addresses share one object and are refused once expired or changed', async () => {
  await using origin = await startOrigin((request, response) => {
    response.setHeader('cache-control', 'max-age=60');
    response.end(request.url);
  });
  const channel = channelSettings({
    name: 'c',
    prefix: '/tv/',
    origins: [origin.url],
    signing: { keys: { k1: 'first secret', k2: 'second secret' } },
  });
  await using edge = await startEdgeCache({ channels: [channel] });
  const sign = (target: string, changes: Partial<Parameters<typeof signTarget>[1]> = {}): string =>
    signTarget(target, {
      prefix: '/tv/',
      keyId: 'k1',
      secret: 'first secret',
      expiresMs: Date.now() + 60_000,
      ...changes,
    });
  const status = async (target: string): Promise<number> => (await fetch(edge.url + target)).status;
  expect(await (await fetch(edge.url + sign('/tv/a.m3u8'))).text()).toBe('/tv/a.m3u8');
  expect(await status(sign('/tv/a.m3u8', { keyId: 'k2', secret: 'second secret' }))).toBe(200);
  expect(origin.asked).toEqual(['GET /tv/a.m3u8']);
  expect(await status('/tv/a.m3u8')).toBe(403);
  expect(await status(sign('/tv/a.m3u8', { expiresMs: Date.now() - 1000 }))).toBe(403);
  expect(await status(sign('/tv/a.m3u8', { secret: 'wrong' }))).toBe(403);
  expect(await status(sign('/tv/a.m3u8', { keyId: 'toString' }))).toBe(403);
  expect(await status(sign('/tv/a.m3u8', { prefix: '/other/' }))).toBe(403);
});

test('parents share the keys, and the origin stands in where they are down', async () => {
  await using origin = await startOrigin((request, response) => {
    response.setHeader('cache-control', 'max-age=60');
    response.end(request.url);
  });
  const upper = [
    await startEdgeCache({
      name: 'up1',
      channels: [channelSettings({ name: 'c', origins: [origin.url] })],
    }),
    await startEdgeCache({
      name: 'up2',
      channels: [channelSettings({ name: 'c', origins: [origin.url] })],
    }),
  ];
  const parents = upper.map(({ url }) => url);
  const leaf = (name: string) =>
    startEdgeCache({
      name,
      channels: [channelSettings({ name: 'c', origins: [origin.url], parents, retries: 0 })],
    });
  await using one = await leaf('leaf1');
  await using two = await leaf('leaf2');
  const targets = Array.from({ length: 20 }, (_, index) => `/${index}`);
  for (const edge of [one, two]) {
    for (const target of targets)
      expect(await (await fetch(edge.url + target)).text()).toBe(target);
  }
  // Both leaves ask the same parent for a key: the origin was asked once for each.
  expect(origin.asked).toHaveLength(targets.length);
  expect(upper.every(({ counters }) => counters.requests > 0)).toBe(true);
  for (const edge of upper) await edge[Symbol.asyncDispose]();
  expect(await (await fetch(`${one.url}/new`)).text()).toBe('/new');
});
