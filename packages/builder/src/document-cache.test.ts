import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { openTestSource } from './testing/open-test-source.ts';
import { startTestServer, type TestServer } from './testing/start-test-server.ts';
import { createDocumentCache } from './document-cache.ts';

const request = { maxBytes: 100 };

async function startVersioned(): Promise<TestServer & { version: string; full: number }> {
  const state = { version: 'one', full: 0 };
  const server = await startTestServer((message, response) => {
    const etag = `"${state.version}"`;
    if (message.url === '/missing') return response.writeHead(404).end();
    if (message.headers['if-none-match'] === etag) return response.writeHead(304, { etag }).end();
    state.full += 1;
    return response.writeHead(200, { etag }).end(state.version);
  });
  return Object.assign(state, server);
}

test('an unchanged document is not sent again, by a later process either', async () => {
  await using folder = await temporaryFolder();
  await using server = await startVersioned();
  await using opened = openTestSource();
  for (const expected of ['one', 'one']) {
    const cache = createDocumentCache({ source: opened.source, directory: folder.path });
    expect(await cache.get(`${server.url}/a`, request)).toBe(expected);
  }
  expect(server.full).toBe(1);
  server.version = 'two';
  const cache = createDocumentCache({ source: opened.source, directory: folder.path });
  expect(await cache.get(`${server.url}/a`, request)).toBe('two');
  expect(server.full).toBe(2);
});

test('a document that is not there is undefined', async () => {
  await using folder = await temporaryFolder();
  await using server = await startVersioned();
  await using opened = openTestSource();
  const cache = createDocumentCache({ source: opened.source, directory: folder.path });
  expect(await cache.get(`${server.url}/missing`, request)).toBeUndefined();
});

test('a cached document that was cut short is fetched again', async () => {
  await using folder = await temporaryFolder();
  await using server = await startVersioned();
  await using opened = openTestSource();
  const cache = createDocumentCache({ source: opened.source, directory: folder.path });
  await cache.get(`${server.url}/a`, request);
  const [name = ''] = await readdir(folder.path);
  await writeFile(join(folder.path, name), '{"url":');
  expect(await cache.get(`${server.url}/a`, request)).toBe('one');
});

test('a document over the limit is refused', async () => {
  await using folder = await temporaryFolder();
  await using server = await startVersioned();
  await using opened = openTestSource();
  const cache = createDocumentCache({ source: opened.source, directory: folder.path });
  await expect(cache.get(`${server.url}/a`, { maxBytes: 2 })).rejects.toMatchObject({
    code: 'document_too_large',
    message: `${server.url}/a exceeds 2 bytes`,
  });
});
