import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHash } from 'node:crypto';
import { createApiServer, internalIdentity, type Identity } from '@tapline/apiserver';
import { ManualClock, silentLog, systemClock } from '@tapline/base';
import { deviceResource, leaseResource, tokenResource } from '@tapline/resources';
import { openMemoryStore } from '@tapline/store';
import { describe, expect, test } from 'vitest';
import { createHttpClient } from './http-client.ts';
import { createInProcessClient } from './in-process-client.ts';
import type { ResourceClient, WatchEvent } from './resource-client.ts';

interface Subject extends AsyncDisposable {
  readonly client: ResourceClient;
  compact(): Promise<void>;
}

const admin: Identity = { user: 'me', groups: ['system:masters'], via: 'token' };
const secret = 'a'.repeat(43);

async function serve(connect: 'in process' | 'over HTTP'): Promise<Subject> {
  const store = openMemoryStore();
  const api = await createApiServer({
    store,
    definitions: [deviceResource, tokenResource],
    clock: systemClock,
    log: silentLog,
    audit: { record: () => undefined, written: () => Promise.resolve() },
    version: '0',
  });
  const compact = (): Promise<void> => store.compact(store.revision);
  if (connect === 'in process') {
    const client = createInProcessClient(api, admin);
    return { client, compact, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() };
  }
  await api.operations.create({ identity: internalIdentity('test') }, tokenResource, {
    metadata: { name: 'me' },
    spec: {
      purpose: 'Access',
      hash: createHash('sha256').update(secret).digest('hex'),
      expiresAt: '2100-01-01T00:00:00Z',
      user: admin.user,
      groups: [...admin.groups],
    },
  });
  const server = createServer((request, response) => api.handle(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const client = createHttpClient({
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { kind: 'token', token: `tla.me.${secret}` },
    userAgent: 'test/1',
    clock: systemClock,
  });
  return {
    client,
    compact,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
      server.closeAllConnections();
      server.close();
    },
  };
}

const device = (name: string) =>
  ({ metadata: { name }, spec: { platform: 'a/b', role: 'device' } }) as const;

describe.each(['in process', 'over HTTP'] as const)('a client %s', (connect) => {
  test('creates, reads, replaces, patches and deletes', async () => {
    await using subject = await serve(connect);
    const { client } = subject;
    const created = await client.create(deviceResource, device('d'));
    expect(created).toMatchObject({ apiVersion: 'tapline.dev/v1alpha1', kind: 'Device' });
    const updated = await client.update(deviceResource, {
      ...created,
      spec: { ...created.spec, owner: 'me' },
    });
    expect(updated.metadata.generation).toBe(2);
    const reported = await client.updateStatus(deviceResource, {
      ...updated,
      status: { agentVersion: '1' },
    });
    expect(reported).toMatchObject({ spec: { owner: 'me' }, status: { agentVersion: '1' } });
    const patched = await client.patch(
      deviceResource,
      'd',
      { kind: 'merge', body: { status: { agentVersion: '2' } } },
      { subresource: 'status' },
    );
    expect(patched.status?.agentVersion).toBe('2');
    await client.patch(deviceResource, 'd', {
      kind: 'json',
      body: [{ op: 'replace', path: '/spec/owner', value: 'you' }],
    });
    const applied = await client.patch(deviceResource, 'd', {
      kind: 'apply',
      body: { metadata: { labels: { a: 'b' } } },
      fieldManager: 'labels',
    });
    expect(applied).toMatchObject({ metadata: { labels: { a: 'b' } }, spec: { owner: 'you' } });
    expect(await client.get(deviceResource, 'd')).toEqual(applied);
    await client.delete(deviceResource, 'd');
    await expect(client.get(deviceResource, 'd')).rejects.toMatchObject({ code: 'not_found' });
  });

  test('errors have the codes of their reasons', async () => {
    await using subject = await serve(connect);
    const { client } = subject;
    const first = await client.create(deviceResource, device('d'));
    const codes = await Promise.all(
      [
        () => client.create(deviceResource, device('d')),
        () => client.create(deviceResource, { ...device('e'), spec: { platform: 'no' } as never }),
        () => client.create(deviceResource, { ...device('e'), spec: { x: 1 } as never }),
        () => client.list(deviceResource, { fieldSelector: 'spec.x=1' }),
        () => client.delete(deviceResource, 'd', { uid: 'other' }),
        () => client.delete(deviceResource, 'none'),
      ].map(async (run) => {
        try {
          return await run();
        } catch (error) {
          return (error as { code: string }).code;
        }
      }),
    );
    expect(codes).toEqual([
      'already_exists',
      'invalid',
      'bad_request',
      'bad_request',
      'conflict',
      'not_found',
    ]);
    await client.update(deviceResource, { ...first, spec: { ...first.spec, owner: 'a' } });
    await expect(
      client.update(deviceResource, { ...first, spec: { ...first.spec, owner: 'b' } }),
    ).rejects.toMatchObject({ code: 'conflict' });
  });

  test('lists in pages, with items that say their kind', async () => {
    await using subject = await serve(connect);
    const { client } = subject;
    for (const name of ['a', 'b', 'c']) await client.create(deviceResource, device(name));
    const first = await client.list(deviceResource, { limit: 2 });
    expect(first.items).toMatchObject([{ kind: 'Device' }, { kind: 'Device' }]);
    const rest = await client.list(deviceResource, { limit: 2, continue: first.continue ?? '' });
    expect(rest.items.map(({ metadata }) => metadata.name)).toEqual(['c']);
    expect(rest.continue).toBeUndefined();
    expect(rest.resourceVersion).toBe(first.resourceVersion);
  });

  test('a namespaced kind without spec and status works alike', async () => {
    await using subject = await serve(connect);
    const { client } = subject;
    await client.create(leaseResource, {
      metadata: { name: 'l', namespace: 'default' },
      spec: { holderIdentity: 'me', leaseDurationSeconds: 15 },
    });
    const lease = await client.get(leaseResource, 'l', { namespace: 'default' });
    expect(lease.spec?.holderIdentity).toBe('me');
    const all = await client.list(leaseResource);
    expect(all.items).toHaveLength(1);
  });

  test('watches from a revision, in order, until its owner ends it', async () => {
    await using subject = await serve(connect);
    const { client } = subject;
    const { resourceVersion } = await client.list(deviceResource);
    const stop = new AbortController();
    const events: WatchEvent<{ metadata: { name: string } }>[] = [];
    const following = (async () => {
      for await (const event of client.watch(deviceResource, {
        resourceVersion,
        signal: stop.signal,
      })) {
        events.push(event);
        if (events.length === 3) stop.abort();
      }
    })();
    const created = await client.create(deviceResource, device('d'));
    await client.update(deviceResource, { ...created, spec: { ...created.spec, owner: 'me' } });
    await client.delete(deviceResource, 'd');
    await following;
    expect(events.map(({ kind }) => kind)).toEqual(['added', 'modified', 'deleted']);
  });

  test('a watch from what was compacted is expired', async () => {
    await using subject = await serve(connect);
    const { client } = subject;
    const { resourceVersion } = await client.list(deviceResource);
    await client.create(deviceResource, device('d'));
    await subject.compact();
    const watch = client.watch(deviceResource, { resourceVersion });
    await expect(watch[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'expired' });
  });
});

test('objects that come from the process itself cannot be changed', async () => {
  await using subject = await serve('in process');
  const { client } = subject;
  await client.create(deviceResource, device('d'));
  const found = await client.get(deviceResource, 'd');
  expect(() => Object.assign(found.spec, { owner: 'x' })).toThrow(TypeError);
});

test('a server that does not answer is unavailable after the time limit', async () => {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const clock = new ManualClock();
  await using client = createHttpClient({
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { kind: 'none' },
    userAgent: 'test/1',
    clock,
    timeoutMs: 500,
  });
  const [answer] = await Promise.allSettled([client.get(deviceResource, 'd'), clock.advance(500)]);
  expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } });
  server.closeAllConnections();
  server.close();
});
