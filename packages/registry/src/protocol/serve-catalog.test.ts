import { temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRegistryClient } from '../client/create-registry-client.ts';
import { type RunningRegistry, startRegistry } from '../start-registry.ts';
import { rawClient } from '../testing/raw-client.ts';
import type { Authorization, RegistryAccess } from './authorize.ts';

let folder: TemporaryFolder;
let registry: RunningRegistry;
let decide: (access: RegistryAccess) => Authorization;

beforeEach(async () => {
  folder = await temporaryFolder();
  decide = () => 'allowed';
  registry = await startRegistry({
    directory: folder.path,
    authorize: (_request, access) => decide(access),
  });
  const { pushBlob } = rawClient(registry.url);
  for (const name of ['a', 'secret/b', 'team/c', 'team/d', 'team/e']) {
    await pushBlob(name, Buffer.from('a layer'));
  }
});
afterEach(async () => {
  await registry[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function page(query: string): Promise<{ names: unknown; link: string | null }> {
  const response = await fetch(`${registry.url}/v2/_catalog${query}`);
  expect(response.status).toBe(200);
  const { repositories } = (await response.json()) as { repositories: unknown };
  return { names: repositories, link: response.headers.get('link') };
}

test('lists repositories in pages, which our client follows', async () => {
  expect(await page('')).toEqual({
    names: ['a', 'secret/b', 'team/c', 'team/d', 'team/e'],
    link: null,
  });
  const first = await page('?n=2');
  expect(first).toEqual({
    names: ['a', 'secret/b'],
    link: '</v2/_catalog?n=2&last=secret%2Fb>; rel="next"',
  });
  expect(await page('?n=2&last=team/d')).toEqual({ names: ['team/e'], link: null });
  expect((await page('?n=0')).names).toEqual([]);
  await using client = createRegistryClient({ baseUrl: registry.url });
  expect(await client.repositories()).toEqual(['a', 'secret/b', 'team/c', 'team/d', 'team/e']);
});

test('what the caller may not pull is neither in a page nor in a link', async () => {
  decide = ({ repository, action }) =>
    action === 'list' && repository?.startsWith('secret/') === true ? 'denied' : 'allowed';
  expect(await page('?n=1')).toEqual({
    names: ['a'],
    link: '</v2/_catalog?n=1&last=a>; rel="next"',
  });
  expect((await page('?n=1&last=a')).names).toEqual(['team/c']);
  decide = ({ repository }) => (repository === undefined ? 'allowed' : 'denied');
  expect(await page('')).toEqual({ names: [], link: null });
});

test('nobody known gets none of it, and only reading is served', async () => {
  expect((await fetch(`${registry.url}/v2/_catalog`, { method: 'POST' })).status).toBe(405);
  decide = () => 'unauthenticated';
  expect((await fetch(`${registry.url}/v2/_catalog`)).status).toBe(401);
  decide = () => 'denied';
  expect((await fetch(`${registry.url}/v2/_catalog`)).status).toBe(403);
});
