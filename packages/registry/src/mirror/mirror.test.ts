import { createHash } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Clock, silentLog, systemClock } from '@tapline/base';
import type { Digest } from '@tapline/oci';
import { eventually, temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createRegistryClient } from '../client/create-registry-client.ts';
import { createHttpTransport, type HttpTransport } from '../client/http-transport.ts';
import { createInProcessTransport } from '../client/in-process-transport.ts';
import { copyImage } from '../copy/copy-image.ts';
import type { RegistryClient } from '../client/registry-client.ts';
import { createRegistryServer } from '../protocol/registry-server.ts';
import { FileBlobStore } from '../storage/file-blob-store.ts';
import { type RunningRegistry, startRegistry } from '../start-registry.ts';
import { pushSampleImage, type SampleImage } from '../testing/sample-image.ts';
import { createMirror, type Mirror } from './create-mirror.ts';

const repository = 'there/team/a';

/** An upstream that can be slow, away or counted. */
interface Upstream extends AsyncDisposable {
  readonly registry: RunningRegistry;
  readonly client: RegistryClient;
  readonly transport: HttpTransport;
  readonly requests: string[];
  mode: 'well' | 'away' | 'hanging' | 'slow';
}

async function startUpstream(directory: string): Promise<Upstream> {
  const registry = await startRegistry({ directory, authorize: () => 'allowed' });
  const client = createRegistryClient({ baseUrl: registry.url });
  const real = createHttpTransport();
  const upstream: Upstream = {
    registry,
    client,
    requests: [],
    mode: 'well',
    transport: {
      async send(request) {
        upstream.requests.push(`${request.method} ${request.url.pathname}`);
        if (upstream.mode === 'away') throw new Error('connection refused');
        if (upstream.mode === 'slow') await delay(300);
        if (upstream.mode === 'hanging') {
          await delay(
            60_000,
            undefined,
            request.signal === undefined ? {} : { signal: request.signal },
          );
        }
        return await real.send(request);
      },
      [Symbol.asyncDispose]: () => real[Symbol.asyncDispose](),
    },
    async [Symbol.asyncDispose]() {
      await real[Symbol.asyncDispose]();
      await client[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
  return upstream;
}

describe('a mirror', () => {
  let folder: TemporaryFolder;
  let upstream: Upstream;
  let image: SampleImage;
  let owned: AsyncDisposableStack;
  let url: string;
  let client: RegistryClient;
  let outcomes: string[];
  const options = { patienceMs: 150, deadlineMs: 1500, awayMs: 60_000, negativeTtlMs: 60_000 };
  const tagTtlMs = 600_000;
  /** Real time, with what a test skips of it. */
  let skippedMs = 0;
  const clock: Clock = {
    now: () => systemClock.now() + skippedMs,
    monotonic: () => systemClock.monotonic() + skippedMs,
    sleep: (ms, sleeping) => systemClock.sleep(ms, sleeping),
  };

  beforeEach(async () => {
    folder = await temporaryFolder();
    upstream = await startUpstream(join(folder.path, 'upstream'));
    const sample = { repository: 'team/a', tag: 'v1', layerBytes: 300_000 };
    image = await pushSampleImage(upstream.client, sample);
    await open();
  });
  afterEach(async () => {
    await owned.disposeAsync();
    await upstream[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  async function open(): Promise<void> {
    outcomes = [];
    await using opened = new AsyncDisposableStack();
    const directory = join(folder.path, 'mirror');
    const inProcess = createInProcessTransport((request, response) =>
      registry.handle(request, response),
    );
    const authorize = (request: Parameters<typeof inProcess.isOwn>[0]) =>
      inProcess.isOwn(request) || request.headers['x-stranger'] === undefined
        ? ('allowed' as const)
        : ('denied' as const);
    const registry = opened.use(
      await createRegistryServer({
        blobs: await FileBlobStore.open(join(directory, 'content')),
        directory,
        authorize,
        clock: systemClock,
        log: silentLog,
      }),
    );
    opened.use(inProcess);
    const local = createRegistryClient({ baseUrl: 'http://registry', transport: inProcess });
    const mirrored = opened.use(
      createRegistryClient({
        baseUrl: upstream.registry.url,
        transport: upstream.transport,
        attempts: 2,
      }),
    );
    const mirror: Mirror = opened.use(
      await createMirror({
        ...options,
        upstreams: [{ prefix: 'there', client: mirrored, tagTtlMs }],
        directory: join(directory, 'mirror'),
        local,
        handleLocally: (request, response) => registry.handle(request, response),
        authorize,
        clock,
        log: silentLog,
        onRequest: (kind, outcome) => outcomes.push(`${kind} ${outcome}`),
      }),
    );
    const server = createServer((request, response) => {
      if (!mirror.handle(request, response)) registry.handle(request, response);
    });
    await listen(server);
    opened.defer(() => close(server));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    client = opened.use(createRegistryClient({ baseUrl: url, attempts: 1 }));
    owned = opened.move();
  }

  async function blobStatus(digest: Digest): Promise<{ status: number; digest: string }> {
    const response = await fetch(`${url}/v2/${repository}/blobs/${digest}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    return {
      status: response.status,
      digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    };
  }

  const layer = (): Digest => image.blobs[0] as Digest;

  test('gives an image of elsewhere, and keeps it for when elsewhere is away', async () => {
    await using other = await startRegistry({
      directory: join(folder.path, 'other'),
      authorize: () => 'allowed',
    });
    await using destination = createRegistryClient({ baseUrl: other.url });
    const copy = {
      from: { repository, reference: 'v1' },
      to: { repository: 'a', tag: 'v1' },
      referrers: true,
    };
    const copied = await copyImage(client, destination, copy);
    expect(copied).toMatchObject({ digest: image.index, referrers: 1 });
    expect(await client.tags(repository)).toEqual(['v1']);
    await eventually('all blobs are kept', async () => {
      const { requests } = upstream;
      const before = requests.length;
      for (const digest of image.blobs) await client.hasBlob(repository, digest);
      return requests.length === before;
    });
    upstream.mode = 'away';
    skippedMs += tagTtlMs;
    await owned.disposeAsync();
    await open();
    const again = await copyImage(client, destination, {
      ...copy,
      to: { repository: 'b', tag: 'v1' },
    });
    expect(again.digest).toBe(image.index);
    expect(await client.tags(repository)).toEqual(['v1']);
    expect(outcomes).toContain('tag stale');
    expect(outcomes).toContain('blob local');
    expect(outcomes.filter((outcome) => outcome === 'blob fetched')).toEqual([]);
  });

  test('fetches a blob once for many who want it at once, also in ranges', async () => {
    upstream.mode = 'slow';
    const all = await Promise.all(Array.from({ length: 20 }, () => blobStatus(layer())));
    expect(new Set(all.map(({ status, digest }) => `${status} ${digest}`))).toEqual(
      new Set([`200 ${layer()}`]),
    );
    const gets = upstream.requests.filter((line) => line === `GET /v2/team/a/blobs/${layer()}`);
    expect(gets).toHaveLength(1);
    const other = image.blobs[1] ?? '';
    const part = await fetch(`${url}/v2/${repository}/blobs/${other}`, {
      headers: { range: 'bytes=10-19' },
    });
    expect([part.status, part.headers.get('content-range')]).toEqual([
      206,
      expect.stringMatching(/^bytes 10-19\/\d+$/),
    ]);
    expect((await part.arrayBuffer()).byteLength).toBe(10);
  });

  test('cuts the connection where the content is another, and keeps nothing of it', async () => {
    const path = upstream.registry.blobs.pathOf(layer());
    const size = (await client.blobSize(repository, layer())) ?? 0;
    await writeFile(path, Buffer.alloc(size, 'x'));
    for (let times = 0; times < 2; times += 1) {
      const received = fetch(`${url}/v2/${repository}/blobs/${layer()}`).then((response) =>
        response.arrayBuffer(),
      );
      await expect(received).rejects.toThrow(/terminated|fetch failed/);
    }
    await eventually('nothing is on its way', async () => {
      return (await readdir(join(folder.path, 'mirror', 'mirror', 'partial'))).length === 0;
    });
    expect(await readdir(join(folder.path, 'mirror', 'content', 'blobs', 'sha256'))).toEqual([]);
  });

  test('a tag that moved is seen after its time, and one that went is gone', async () => {
    expect((await client.resolve(repository, 'v1'))?.digest).toBe(image.index);
    const moved = await pushSampleImage(upstream.client, {
      repository: 'team/a',
      tag: 'v1',
      seed: 2,
    });
    expect((await client.resolve(repository, 'v1'))?.digest).toBe(image.index);
    skippedMs += tagTtlMs;
    expect((await client.resolve(repository, 'v1'))?.digest).toBe(moved.index);
    await upstream.client.deleteManifest('team/a', 'v1');
    skippedMs += tagTtlMs;
    expect(await client.resolve(repository, 'v1')).toBeUndefined();
  });

  test('an upstream that hangs holds up a tag that is known once and shortly, then not at all', async () => {
    await client.resolve(repository, 'v1');
    skippedMs += tagTtlMs;
    upstream.mode = 'hanging';
    const timed = async (): Promise<number> => {
      const startMs = systemClock.monotonic();
      expect((await client.resolve(repository, 'v1'))?.digest).toBe(image.index);
      return systemClock.monotonic() - startMs;
    };
    expect(await timed()).toBeLessThan(1200);
    const before = upstream.requests.length;
    const times = await Promise.all(Array.from({ length: 20 }, timed));
    expect(Math.max(...times)).toBeLessThan(1000);
    expect(upstream.requests.length).toBe(before);
    expect(outcomes.filter((outcome) => outcome === 'tag stale')).toHaveLength(21);
    // What is not known has to wait, but not for ever.
    const response = await fetch(`${url}/v2/${repository}/manifests/v9`);
    expect(response.status).toBe(504);
  });

  test('what is not there is not asked for again and again', async () => {
    for (let times = 0; times < 5; times += 1) {
      expect(await client.resolve(repository, 'none')).toBeUndefined();
    }
    const asked = () => upstream.requests.filter((line) => line.endsWith('/manifests/none')).length;
    expect(asked()).toBe(1);
    skippedMs += options.negativeTtlMs;
    await client.resolve(repository, 'none');
    expect(asked()).toBe(2);
    expect((await fetch(`${url}/v2/there/no/such/tags/list`)).status).toBe(404);
    const nothing = `sha256:${'0'.repeat(64)}`;
    expect((await fetch(`${url}/v2/${repository}/blobs/${nothing}`)).status).toBe(404);
  });

  test('is no place to push to, and asks who may pull; other repositories are those of the registry', async () => {
    const post = await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
    expect(post.status).toBe(403);
    const headers = { 'x-stranger': 'yes' };
    expect((await fetch(`${url}/v2/${repository}/manifests/v1`, { headers })).status).toBe(403);
    expect(upstream.requests).toEqual([]);
    const own = await pushSampleImage(client, { repository: 'own/a', tag: 'v1' });
    expect((await client.resolve('own/a', 'v1'))?.digest).toBe(own.index);
    expect(upstream.requests).toEqual([]);
  });
});

async function listen(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
