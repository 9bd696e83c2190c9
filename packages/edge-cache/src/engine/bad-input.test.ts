import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '@tapline/testing';
import { expect, test } from 'vitest';
import { type ChannelSettings, channelSettings } from '../channel/channel-settings.ts';
import { rawExchange, startRawOrigin } from '../testing/raw-exchange.ts';
import { startOrigin } from '../testing/start-origin.ts';
import { type EdgeCache, startEdgeCache } from './start-edge-cache.ts';

function edgeOf(origin: string, settings: Partial<ChannelSettings> = {}): Promise<EdgeCache> {
  return startEdgeCache({
    channels: [
      channelSettings({
        name: 'c',
        origins: [origin],
        retries: 0,
        defaults: { playlistMs: 1000, segmentMs: 60_000, negativeMs: 0 },
        ...settings,
      }),
    ],
    limits: { headMs: 600, bodyMs: 600 },
  });
}

const portOf = (edge: EdgeCache): number => Number(new URL(edge.url).port);

test('a segment without an end is cut at the limit, and nothing of it is kept', async () => {
  await using origin = await startOrigin((_, response) => {
    response.writeHead(200, { 'cache-control': 'max-age=60' });
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
    };
    response.on('drain', more);
    more();
  });
  await using edge = await edgeOf(origin.url, { maxObjectBytes: 1024 * 1024 });
  for (let round = 1; round <= 2; round += 1) {
    const response = await fetch(`${edge.url}/endless.ts`);
    await expect(response.arrayBuffer()).rejects.toThrow(/terminated|closed/);
    expect(origin.asked).toHaveLength(round);
  }
  expect(edge.counters.cut).toBe(2);
});

test.each([
  [
    'too few bytes',
    'HTTP/1.1 200 OK\r\nContent-Length: 10\r\nCache-Control: max-age=60\r\n\r\nabc',
  ],
  [
    'a broken chunk',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nCache-Control: max-age=60\r\n\r\n3\r\nabc\r\nzz\r\n',
  ],
])('%s are seen as such by the client and not kept', async (_, text) => {
  await using origin = await startRawOrigin((socket) => socket.end(text));
  await using edge = await edgeOf(origin.url);
  for (let round = 1; round <= 2; round += 1) {
    const failed = await fetch(`${edge.url}/a.ts`).then(
      (response) =>
        response.arrayBuffer().then(
          () => false,
          () => true,
        ),
      () => true,
    );
    expect(failed).toBe(true);
    expect(origin.asked()).toBe(round);
  }
});

test('bytes beyond the length reach nobody', async () => {
  await using origin = await startRawOrigin((socket) =>
    socket.write(
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nCache-Control: max-age=60\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil',
    ),
  );
  await using edge = await edgeOf(origin.url);
  const answers = [];
  for (const target of ['/a', '/b', '/a'])
    answers.push(await (await fetch(edge.url + target)).text());
  expect(answers).toEqual(['abc', 'abc', 'abc']);
});

test.each([
  [
    '206 to a request for the whole',
    'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-2/9\r\nContent-Length: 3\r\nCache-Control: max-age=60\r\n\r\nabc',
  ],
  ['no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd'],
  [
    'both framings',
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  ],
  [
    'switching protocols',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
  ],
])('an origin that answers with %s is 502', async (_, text) => {
  await using origin = await startRawOrigin((socket) => socket.end(text));
  await using edge = await edgeOf(origin.url);
  const response = await fetch(`${edge.url}/a.ts`);
  expect(response.status).toBe(502);
  expect(response.headers.get('cache-status')).toContain('origin_broken');
});

test('an origin that does not answer is 504, and one that stops within the body cuts it', async () => {
  await using origin = await startRawOrigin((socket) => void socket.write(''));
  const timeouts = { connectMs: 300, headMs: 300, blockingMs: 300, idleMs: 300 };
  await using edge = await edgeOf(origin.url, { timeouts });
  expect((await fetch(`${edge.url}/a`)).status).toBe(504);
  await using slow = await startRawOrigin((socket) =>
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\nCache-Control: max-age=60\r\n\r\nabc'),
  );
  await using other = await edgeOf(slow.url, { timeouts });
  const response = await fetch(`${other.url}/a`);
  await expect(response.text()).rejects.toThrow(/terminated|closed/);
});

test('redirects are up to the viewer unless the channel follows them, and loops of edges are 508', async () => {
  await using origin = await startOrigin((_, response) => {
    response.writeHead(302, { location: '/elsewhere', 'cache-control': 'max-age=60' }).end();
  });
  await using edge = await edgeOf(origin.url);
  const redirected = await fetch(`${edge.url}/a`, { redirect: 'manual' });
  expect(redirected.status).toBe(302);
  expect(origin.asked).toHaveLength(1);
  // An edge that is its own origin.
  await edge.configure([channelSettings({ name: 'c', origins: [edge.url], retries: 0 })]);
  expect((await fetch(`${edge.url}/b`)).status).toBe(508);
});

test('redirects are followed within bounds, and in a circle they are an error that says so', async () => {
  const seen: string[] = [];
  await using other = await startOrigin((request, response) => {
    seen.push(String(request.headers.authorization));
    response.setHeader('cache-control', 'max-age=60');
    response.end(`other ${request.url}`);
  });
  await using origin = await startOrigin((request, response) => {
    const step = Number(/^\/steps\/(\d+)/.exec(request.url ?? '')?.[1] ?? 0);
    const location =
      request.url === '/circle/a'
        ? '/circle/b'
        : request.url === '/circle/b'
          ? 'a'
          : request.url === '/other'
            ? `${other.url}/x`
            : request.url === '/foreign'
              ? 'http://169.254.169.254/secret'
              : step > 0
                ? `/steps/${step - 1}`
                : undefined;
    if (location === undefined) response.setHeader('cache-control', 'max-age=60').end('here');
    else response.writeHead(307, { location }).end();
  });
  await using edge = await edgeOf(origin.url, {
    redirects: { follow: 3, hosts: [new URL(other.url).host] },
  });
  const get = async (target: string, headers: Record<string, string> = {}): Promise<string> => {
    const response = await fetch(edge.url + target, { redirect: 'manual', headers });
    return `${response.status} ${await response.text()}`;
  };
  expect(await get('/steps/3')).toBe('200 here');
  const asked = origin.asked.length;
  // It is kept under the address that was asked for.
  expect(await get('/steps/3')).toBe('200 here');
  expect(origin.asked).toHaveLength(asked);
  expect(await get('/steps/4')).toMatch(/^502 .*more than 3 times/);
  expect(await get('/circle/a')).toMatch(
    /^502 .*in a circle, over 2 addresses back to .*\/circle\/a/,
  );
  expect(await get('/other', { authorization: 'Bearer x' })).toBe('200 other /x');
  expect(seen).toEqual(['undefined']);
  // To where nobody said that it may, the edge does not go.
  expect(await get('/foreign')).toBe('307 ');
});

test('a client that sends its head or its body too slowly is let go', async () => {
  await using origin = await startOrigin((request, response) => {
    request.resume();
    request.on('end', () => response.end('x'));
  });
  await using edge = await edgeOf(origin.url);
  const loris = connect(portOf(edge), '127.0.0.1');
  let answer = '';
  loris.setEncoding('latin1').on('data', (text: string) => (answer += text));
  const closed = new Promise<void>((resolve) => void loris.once('close', () => resolve()));
  loris.on('error', () => undefined);
  loris.write('GET / HTTP/1.1\r\nHost: e\r\n');
  const drip = setInterval(() => loris.write('a: b\r\n'), 100);
  await closed;
  clearInterval(drip);
  expect(answer).toMatch(/^HTTP\/1.1 408 /);
  const upload = rawExchange(
    portOf(edge),
    'POST / HTTP/1.1\r\nHost: e\r\nContent-Length: 10\r\n\r\nabc',
  );
  expect(await upload).not.toContain(' 200 ');
  // Others were served all the time.
  expect((await fetch(`${edge.url}/ok`)).status).toBe(200);
});

test('a head that is too large is 431, and one that is ambiguous 400, and nothing reaches the origin', async () => {
  await using origin = await startOrigin((_, response) => void response.end('x'));
  await using edge = await edgeOf(origin.url);
  const large = `GET / HTTP/1.1\r\nHost: e\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`;
  expect(await rawExchange(portOf(edge), large)).toMatch(/^HTTP\/1.1 431 /);
  const smuggled =
    'POST / HTTP/1.1\r\nHost: e\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nHost: e\r\n\r\n';
  expect(await rawExchange(portOf(edge), smuggled)).toMatch(/^HTTP\/1.1 400 (?!.*HTTP)/s);
  for (const path of ['/../etc', '/a/%2e%2E/b', '/a/..%2fb', '/./a']) {
    const text = `GET ${path} HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n`;
    expect(await rawExchange(portOf(edge), text)).toMatch(/^HTTP\/1.1 400 /);
  }
  expect(origin.asked).toEqual([]);
});

test('fields for one hop do not reach the origin, and a body cannot become a request', async () => {
  const seen: string[] = [];
  await using origin = await startOrigin((request, response) => {
    seen.push(...Object.keys(request.headers));
    request.resume();
    response.end(request.url);
  });
  await using edge = await edgeOf(origin.url);
  const text = [
    'POST /a HTTP/1.1\r\nHost: e\r\nConnection: x-secret\r\nX-Secret: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    '10\r\nGET /evil HTTP/1\r\n0\r\n\r\n',
    'GET /b HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n',
  ].join('');
  const answers = await rawExchange(portOf(edge), text);
  expect(answers.match(/HTTP\/1.1 200/g)).toHaveLength(2);
  expect(origin.asked).toEqual(['POST /a', 'GET /b']);
  expect(seen).not.toContain('x-secret');
});

test('an origin that fails is left alone for a while, and found again', async () => {
  let works = false;
  await using origin = await startOrigin((request, response) => {
    if (works) response.end('x');
    else request.socket.destroy();
  });
  await using edge = await edgeOf(origin.url, { breaker: { failures: 3, openMs: 300 } });
  for (let round = 0; round < 3; round += 1) {
    expect((await fetch(`${edge.url}/${round}`)).status).toBe(502);
  }
  const asked = origin.asked.length;
  expect((await fetch(`${edge.url}/x`)).status).toBe(503);
  expect(origin.asked).toHaveLength(asked);
  works = true;
  await eventually('the origin again', async () => (await fetch(`${edge.url}/y`)).status === 200);
});

test('limits of a channel are its own', async () => {
  await using origin = await startOrigin(async (_, response) => {
    await delay(200);
    response.setHeader('cache-control', 'no-store');
    response.end('x');
  });
  const limits = { concurrentRequests: 2, requestsPerSecond: 0, concurrentFetches: 0 };
  await using edge = await startEdgeCache({
    channels: [
      channelSettings({ name: 'a', prefix: '/a/', origins: [origin.url], limits }),
      channelSettings({
        name: 'b',
        prefix: '/b/',
        origins: [origin.url],
        limits: { ...limits, requestsPerSecond: 1 },
      }),
    ],
  });
  const many = await Promise.all([1, 2, 3, 4].map((index) => fetch(`${edge.url}/a/${index}`)));
  expect(many.map(({ status }) => String(status)).toSorted()).toEqual(['200', '200', '503', '503']);
  const rated = [await fetch(`${edge.url}/b/1`), await fetch(`${edge.url}/b/2`)];
  expect(rated.map(({ status }) => status)).toEqual([200, 429]);
  expect((await fetch(`${edge.url}/c/`)).status).toBe(404);
});
