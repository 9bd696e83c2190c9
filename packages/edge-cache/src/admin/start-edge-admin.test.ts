import { stat } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { channelSettings } from '../channel/channel-settings.ts';
import { startEdgeCache } from '../engine/start-edge-cache.ts';
import { startOrigin } from '../testing/start-origin.ts';
import { parsePurge, startEdgeAdmin } from './start-edge-admin.ts';

function ask(
  socketPath: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

test('it purges, reloads and tells figures, on a socket of its owner', async () => {
  await using folder = await temporaryFolder();
  await using origin = await startOrigin((_, response) => {
    response.setHeader('cache-control', 'max-age=60');
    response.end('x');
  });
  await using engine = await startEdgeCache({
    channels: [channelSettings({ name: 'c', origins: [origin.url] })],
  });
  let reloads = 0;
  const socketPath = join(folder.path, 'admin.sock');
  await using running = await startEdgeAdmin({
    engine,
    socketPath,
    reload: () => {
      reloads += 1;
      return Promise.resolve();
    },
  });
  expect(running).toBeDefined();
  expect((await stat(socketPath)).mode & 0o777).toBe(0o600);
  for (let round = 0; round < 2; round += 1) await (await fetch(`${engine.url}/a`)).text();
  expect(
    (await ask(socketPath, 'POST', '/v1/purge', { kind: 'url', channel: 'c', target: '/a' }))
      .status,
  ).toBe(200);
  await (await fetch(`${engine.url}/a`)).text();
  expect(origin.asked).toHaveLength(2);
  await ask(socketPath, 'POST', '/v1/reload');
  expect(reloads).toBe(1);
  expect(JSON.parse((await ask(socketPath, 'GET', '/v1/stats')).text)).toMatchObject({
    hits: 1,
    misses: 2,
  });
  expect((await ask(socketPath, 'GET', '/metrics')).text).toContain('tapline_edge_hits_total 1');
  expect((await ask(socketPath, 'GET', '/x')).status).toBe(404);
  expect((await ask(socketPath, 'POST', '/v1/purge', { kind: 'tag' })).status).toBe(400);
});

test.each([
  [undefined],
  [{}],
  [{ kind: 'tag', channel: 'c' }],
  [{ kind: 'tag', channel: 'c d', tag: 'x' }],
  [{ kind: 'tag', channel: 'c', tag: 'x y' }],
  [{ kind: 'url', channel: 'c', target: 'x' }],
  [{ kind: 'all', mode: 'gentle' }],
])('%j is no purge', (value) => {
  expect(() => parsePurge(value)).toThrow(/a purge is/);
});
