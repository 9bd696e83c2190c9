import { createHash } from 'node:crypto';
import { seededRng, systemClock } from '@tapline/base';
import { expect, test } from 'vitest';
import { channelSettings } from '../channel/channel-settings.ts';
import { startEdgeCache } from '../engine/start-edge-cache.ts';
import { startOrigin } from '../testing/start-origin.ts';
import { servedByLog } from './access-log.ts';
import { judgeAnswer } from './judge-answer.ts';
import { lookAtStream } from './look-at-stream.ts';
import { rankByPopularity } from './popularity.ts';
import { primeEdge } from './prime-edge.ts';
import { replayLoad } from './replay-load.ts';
import { createZipf } from './zipf.ts';

test('popularity is bytes sent by size, out of an access log', () => {
  const log = [
    '10.0.0.1 - - [26/Nov/2026:05:00:00 +0000] "GET /news/a.ts HTTP/1.1" 200 1000 "-" "x"',
    '10.0.0.1 - - [26/Nov/2026:05:00:01 +0000] "GET /news/a.ts HTTP/1.1" 206 500 "-" "x"',
    '10.0.0.2 - kim [26/Nov/2026:05:00:01 +0000] "GET /news/b.ts HTTP/2" 200 10',
    '10.0.0.2 - - [26/Nov/2026:05:00:01 +0000] "GET /news/b.ts HTTP/2" 200 10',
    '10.0.0.2 - - [26/Nov/2026:05:00:01 +0000] "GET /news/live.m3u8 HTTP/2" 200 10',
    '10.0.0.2 - - [26/Nov/2026:05:00:01 +0000] "GET /other/b.ts HTTP/2" 200 10',
    '10.0.0.2 - - [26/Nov/2026:05:00:01 +0000] "GET /news/gone.ts HTTP/2" 404 10',
    '10.0.0.2 - - [26/Nov/2026:05:00:01 +0000] "POST /news/c.ts HTTP/2" 200 10',
    'no line of a log',
  ].join('\n');
  expect(rankByPopularity(servedByLog(log, { prefix: '/news/' }))).toEqual([
    { path: 'b.ts', popularity: 2 },
    { path: 'a.ts', popularity: 1.5 },
  ]);
});

test('ranks come as often as Zipf says', () => {
  const draw = createZipf(4, { exponent: 1, rng: seededRng(3) });
  const counts = [0, 0, 0, 0];
  for (let one = 0; one < 20_000; one += 1) {
    const rank = draw();
    counts[rank] = (counts[rank] ?? 0) + 1;
  }
  const sum = 1 + 1 / 2 + 1 / 3 + 1 / 4;
  for (const [rank, count] of counts.entries()) {
    expect(count / 20_000).toBeCloseTo(1 / (rank + 1) / sum, 1);
  }
});

test.each([
  [200, 'o; hit, e1; hit; ttl=3', 'hit'],
  [200, 'e1; fwd=uri-miss; stored', 'content'],
  [404, 'e1; fwd=uri-miss', 'content'],
  [200, 'e1; fwd=stale; fwd-status=200', 'other'],
  [200, 'e1; fwd=method', 'other'],
  [502, 'e1; fwd=uri-miss; detail=origin_unreachable', 'health'],
  [503, null, 'health'],
  [200, null, 'health'],
] as const)('%d with %s is %s', (status, cacheStatus, verdict) => {
  expect(judgeAnswer(status, cacheStatus)).toBe(verdict);
});

const segments = Array.from({ length: 20 }, (_none, at) => `seg${at}.ts`);
const media = `#EXTM3U\n#EXT-X-TARGETDURATION:2\n${segments.map((name) => `#EXTINF:2,\n${name}\n`).join('')}#EXT-X-ENDLIST\n`;

async function withChannel(
  files: Readonly<Record<string, string | undefined>>,
  use: (place: { base: string; playlist: string }, asked: readonly string[]) => Promise<void>,
): Promise<void> {
  await using origin = await startOrigin((request, response) => {
    const path = request.url ?? '';
    const text = path.endsWith('.ts')
      ? createHash('sha512').update(path).digest('hex').repeat(80)
      : files[path];
    if (text === undefined) response.statusCode = 404;
    response.setHeader('cache-control', 'max-age=60');
    response.end(text ?? '');
  });
  await using edge = await startEdgeCache({
    channels: [
      channelSettings({
        name: 'news',
        prefix: '/news/',
        stripPrefix: true,
        origins: [origin.url],
      }),
    ],
  });
  await use({ base: `${edge.url}/news/`, playlist: 'main.m3u8' }, origin.asked);
}

const common = { lastSeconds: 8, objects: ['seg0.ts'], maxObjectBytes: 1_000_000 } as const;

test('priming puts the newest and the popular there, at its rate; the load then finds it', async () => {
  const master = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9\nhd.m3u8\n';
  await withChannel({ '/main.m3u8': master, '/hd.m3u8': media }, async (place, asked) => {
    const { signal } = new AbortController();
    const rate = { bytesPerSecond: 200_000, clock: systemClock, signal };
    const primed = await primeEdge(place, { ...common, ...rate });
    expect(primed).toMatchObject({ objects: 2 + 4 + 1, bytes: 5 * 10_240, failed: 0 });
    // The master playlist, the rendition and five objects: nothing of it was there before.
    expect(primed.asked).toEqual({ requests: 7, hits: 0 });
    // 40 kB are ahead of the last object.
    expect(primed.seconds).toBeGreaterThan(0.19);
    const names = ['seg19.ts', 'seg18.ts', 'seg17.ts', 'seg16.ts', 'seg0.ts'];
    const wanted = names.map((name) => `GET /${name}`);
    expect(asked[2]).toBe(wanted[0]);
    // A few small ones go together, so those are in no order.
    expect(asked.slice(2).toSorted()).toEqual(wanted.toSorted());
    const again = await primeEdge(place, { ...common, ...rate });
    expect(again.asked).toEqual({ requests: 7, hits: 7 });
    const load = { requests: 60, requestsPerSecond: 2000, zipf: 0.9 };
    const about = { ...common, clock: systemClock, rng: seededRng(1), signal };
    const found = await replayLoad(place, { ...about, ...load });
    expect(found).toMatchObject({ requests: 60, hits: 60, ratio: 1 });
    const recorded = ['seg1.ts', 'seg2.ts', 'seg1.ts', 'nothing.mp4'];
    const replayed = await replayLoad(place, { ...about, ...load, requests: 4, recorded });
    expect(replayed.hits + replayed.misses.content).toBe(4);
    expect(replayed.misses.content).toBeGreaterThanOrEqual(2);
  });
});

test.each([
  ['the origin has none', undefined, 'origin_failed', /main\.m3u8 answers 404/],
  ['it is a web page', '<html>hello</html>', undefined, /EXTM3U/],
  [
    'players would go elsewhere',
    '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9\nhttps://cdn.example/hd.m3u8\n',
    'not_below_channel',
    /https:\/\/cdn\.example\/hd\.m3u8/,
  ],
])('%s: that is said', async (_why, text, code, message) => {
  await withChannel({ '/main.m3u8': text }, async (place) => {
    const { signal } = new AbortController();
    const rate = { bytesPerSecond: 1e9, clock: systemClock, signal };
    await expect(primeEdge(place, { ...common, ...rate })).rejects.toMatchObject({
      ...(code !== undefined && { code }),
      message: expect.stringMatching(message) as string,
    });
  });
});

test('a look asks for what a player that begins does: the smallest rendition and what comes first', async () => {
  const master =
    '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9\nhd.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=5\nsd.m3u8\n';
  const live = media.replace('#EXT-X-ENDLIST\n', '');
  const files = { '/main.m3u8': master, '/hd.m3u8': media, '/sd.m3u8': live };
  await withChannel(files, async (place, asked) => {
    const init = {
      maxObjectBytes: 1_000_000,
      clock: systemClock,
      signal: new AbortController().signal,
    };
    const first = await lookAtStream(place, init);
    expect(asked).toEqual(['GET /main.m3u8', 'GET /sd.m3u8', 'GET /seg19.ts']);
    expect(first).toMatchObject({
      live: { edge: '19.0', targetSeconds: 2 },
      asked: { requests: 3, hits: 0 },
    });
    expect((await lookAtStream(place, init)).asked).toEqual({ requests: 3, hits: 3 });
    const film = await lookAtStream({ ...place, playlist: 'hd.m3u8' }, init);
    expect(film.live).toBeUndefined();
    expect(asked.at(-1)).toBe('GET /seg0.ts');
    const none = lookAtStream({ ...place, playlist: 'none.m3u8' }, init);
    await expect(none).rejects.toMatchObject({ code: 'origin_failed' });
  });
  const elsewhere = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9\nhttp://127.0.0.1:1/hd.m3u8\n';
  await withChannel({ '/main.m3u8': elsewhere }, async (place) => {
    const { signal } = new AbortController();
    const init = { maxObjectBytes: 1_000_000, clock: systemClock, signal };
    await expect(lookAtStream(place, init)).rejects.toMatchObject({ code: 'not_below_channel' });
  });
});

test('a segment without an end is given up', async () => {
  await using origin = await startOrigin(async (_request, response) => {
    while (!response.destroyed) {
      response.write(Buffer.alloc(65_536));
      await systemClock.sleep(1);
    }
  });
  const { fetchWhole } = await import('./fetch-whole.ts');
  const { signal } = new AbortController();
  await expect(fetchWhole(`${origin.url}/x.ts`, { signal, maxBytes: 500_000 })).rejects.toThrow(
    /exceeds 500000 bytes/,
  );
});
