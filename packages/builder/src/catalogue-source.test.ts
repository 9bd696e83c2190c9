import { join } from 'node:path';
import { ManualClock } from '@tapline/base';
import { type TemporaryFolder, temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { loadSigningKey, signApiDocument } from '../../../tools/bottle-mirror/api-signature.ts';
import { parseCatalogue } from './catalogue.ts';
import { type CatalogueSource, createCatalogueSource } from './catalogue-source.ts';
import { createDocumentCache } from './document-cache.ts';
import { loadHomebrewApiKey } from './homebrew-api-key.ts';
import { openTestSource } from './testing/open-test-source.ts';
import { startTestServer } from './testing/start-test-server.ts';

const jq = { name: 'jq', aliases: ['jsonq'], oldnames: ['j'] };

async function open() {
  const folder: TemporaryFolder = await temporaryFolder();
  const signing = await loadSigningKey(folder.path);
  const state = {
    body: signApiDocument(JSON.stringify([jq]), signing),
    etag: '"1"',
    status: 200,
    sign: (formulae: readonly unknown[]) => signApiDocument(JSON.stringify(formulae), signing),
  };
  const server = await startTestServer((message, response) => {
    const { etag } = state;
    if (message.headers['if-none-match'] === etag) return response.writeHead(304, { etag }).end();
    return response.writeHead(state.status, { etag }).end(state.body);
  });
  const opened = openTestSource({ attempts: 1 });
  const clock = new ManualClock();
  const start = (): CatalogueSource =>
    createCatalogueSource({
      documents: createDocumentCache({
        source: opened.source,
        directory: join(folder.path, 'cache'),
      }),
      clock,
      url: `${server.url}/formula.jws.json`,
      key: loadHomebrewApiKey(signing.publicKeyPath),
      parse: parseCatalogue,
    });
  return {
    server,
    state,
    clock,
    start,
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

test('formulae are found by name, alias and old name', async () => {
  await using api = await open();
  const catalogue = await api.start().load({});
  expect(['jq', 'jsonq', 'j'].map((name) => catalogue?.formula(name))).toEqual([jq, jq, jq]);
  expect(catalogue?.formula('constructor')).toBeUndefined();
  expect(catalogue?.names).toEqual(['jq']);
});

test('is asked for once a minute, and sent where it changed', async () => {
  await using api = await open();
  const source = api.start();
  const [first, same] = await Promise.all([source.load({}), source.load({})]);
  expect(same).toBe(first);
  expect(api.server.requests).toHaveLength(1);
  await api.clock.advance(59_000);
  expect(await source.load({})).toBe(first);
  expect(api.server.requests).toHaveLength(1);
  await api.clock.advance(2_000);
  expect(await source.load({})).toBe(first);
  expect(api.server.requests).toHaveLength(2);
  Object.assign(api.state, { etag: '"2"', body: api.state.sign([jq, { name: 'yq' }]) });
  await api.clock.advance(61_000);
  expect((await source.load({}))?.names).toEqual(['jq', 'yq']);
});

test('what is kept is verified again by a later process', async () => {
  await using api = await open();
  await api.start().load({});
  expect((await api.start().load({}))?.names).toEqual(['jq']);
  expect(api.server.requests).toHaveLength(2);
});

test('a list that is not there is none', async () => {
  await using api = await open();
  Object.assign(api.state, { status: 404 });
  expect(await api.start().load({})).toBeUndefined();
});

test('an unsigned or changed list is refused, and used again once it is signed', async () => {
  await using api = await open();
  const source = api.start();
  const signed = api.state.body;
  const bare = JSON.stringify([jq]);
  const tampered = signed.replaceAll('jsonq', 'jsonx');
  for (const [body, status, reason] of [
    [bare, 200, 'missing'],
    [tampered, 200, 'mismatch'],
  ] as const) {
    Object.assign(api.state, { body, status, etag: `"${reason}${status}"` });
    await expect(source.load({})).rejects.toMatchObject({
      code: 'homebrew_signature_invalid',
      details: { reason },
    });
  }
  Object.assign(api.state, { body: signed, status: 200, etag: '"good"' });
  expect((await source.load({}))?.names).toEqual(['jq']);
  // From then on it is kept: a list that was replaced is no reason to trust what is there now.
  Object.assign(api.state, { body: tampered, etag: '"bad"' });
  await api.clock.advance(61_000);
  await expect(source.load({})).rejects.toMatchObject({ code: 'homebrew_signature_invalid' });
});

test('a kept list that this machine damaged is fetched anew', async () => {
  await using api = await open();
  const good = api.state.body;
  Object.assign(api.state, { body: good.replaceAll('jsonq', 'jsonx') });
  await expect(api.start().load({})).rejects.toMatchObject({ code: 'homebrew_signature_invalid' });
  // The same entity tag, so that the damaged one is what the cache has.
  Object.assign(api.state, { body: good });
  expect((await api.start().load({}))?.names).toEqual(['jq']);
});

test('a caller that is aborted leaves the others waiting', async () => {
  await using api = await open();
  const source = api.start();
  const abort = new AbortController();
  const given = source.load({ signal: abort.signal });
  const other = source.load({});
  abort.abort(new Error('no longer wanted'));
  await expect(given).rejects.toThrow('no longer wanted');
  expect((await other)?.names).toEqual(['jq']);
});
