import { expect, test } from 'vitest';
import { openTestSource } from './testing/open-test-source.ts';
import { readAll } from './testing/read-all.ts';
import { startTestServer } from './testing/start-test-server.ts';

test('a server that is down for a while is asked again', async () => {
  let failures = 2;
  await using server = await startTestServer((_, response) => {
    response.writeHead(failures > 0 ? 503 : 200).end('hello');
    failures -= 1;
  });
  await using opened = openTestSource();
  const response = await opened.source.open(server.url, { accept: [200] });
  expect((await readAll(response.body)).toString()).toBe('hello');
  expect(server.requests).toHaveLength(3);
});

test('a server that stays down is given up, with what to do', async () => {
  await using server = await startTestServer((_, response) => response.writeHead(503).end());
  await using opened = openTestSource({ attempts: 3 });
  await expect(opened.source.open(`${server.url}/x`, { accept: [200] })).rejects.toMatchObject({
    code: 'homebrew_unreachable',
    message: `${server.url}/x did not answer in 3 attempts: status 503`,
    hint: expect.stringContaining('HOMEBREW_API_DOMAIN'),
  });
  expect(server.requests).toHaveLength(3);
});

test('what is refused is not asked again', async () => {
  await using server = await startTestServer((_, response) => response.writeHead(403).end());
  await using opened = openTestSource();
  await expect(opened.source.open(server.url, { accept: [200] })).rejects.toMatchObject({
    code: 'homebrew_unreachable',
  });
  expect(server.requests).toHaveLength(1);
});

test('nobody listens', async () => {
  const server = await startTestServer((_, response) => response.end());
  await server[Symbol.asyncDispose]();
  await using opened = openTestSource({ attempts: 2 });
  await expect(opened.source.open(server.url, { accept: [200] })).rejects.toMatchObject({
    code: 'homebrew_unreachable',
    cause: expect.objectContaining({ code: 'ECONNREFUSED' }),
  });
});

test('credentials follow redirects to the same origin only', async () => {
  const seen: (string | undefined)[] = [];
  await using elsewhere = await startTestServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end();
  });
  await using server = await startTestServer((request, response) => {
    seen.push(request.headers.authorization);
    const location = request.url === '/' ? '/next' : elsewhere.url;
    response.writeHead(307, { location }).end();
  });
  await using opened = openTestSource();
  const headers = { authorization: 'Bearer QQ==' };
  const response = await opened.source.open(server.url, { headers, accept: [200] });
  response.body.destroy();
  expect(seen).toEqual(['Bearer QQ==', 'Bearer QQ==', undefined]);
});

test('a circle of redirects ends', async () => {
  await using server = await startTestServer((_, response) =>
    response.writeHead(302, { location: '/' }).end(),
  );
  await using opened = openTestSource({ attempts: 1 });
  await expect(opened.source.open(server.url, { accept: [200] })).rejects.toMatchObject({
    cause: { message: expect.stringContaining('redirects') },
  });
});

test('an abort ends the retries', async () => {
  const abort = new AbortController();
  await using server = await startTestServer((_, response) => {
    response.writeHead(503).end();
    abort.abort(new Error('enough'));
  });
  await using opened = openTestSource();
  const { signal } = abort;
  await expect(opened.source.open(server.url, { accept: [200], signal })).rejects.toThrow('enough');
  expect(server.requests).toHaveLength(1);
});
