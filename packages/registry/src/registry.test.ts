import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text as readText } from 'node:stream/consumers';
import { type Descriptor, type Digest, mediaTypes } from '@tapline/oci';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Authorization, RegistryAccess } from './protocol/authorize.ts';
import { createRegistryClient } from './client/create-registry-client.ts';
import { FileBlobStore } from './storage/file-blob-store.ts';
import { pushImage } from './client/push-image.ts';
import type { RegistryClient } from './client/registry-client.ts';
import { digestWith } from './storage/digest-algorithm.ts';
import { type RunningRegistry, startRegistry } from './start-registry.ts';

let directory: string;
let registry: RunningRegistry;
let client: RegistryClient;
let decide: (access: RegistryAccess) => Authorization;

async function start(): Promise<void> {
  registry = await startRegistry({ directory, authorize: (_request, access) => decide(access) });
  client = createRegistryClient({ baseUrl: registry.url, attempts: 2 });
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tapline-registry-'));
  decide = () => 'allowed';
  await start();
});
afterEach(async () => {
  await client[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

function blobOf(text: string): {
  digest: Digest;
  size: number;
  open: () => AsyncIterable<Uint8Array>;
} {
  const bytes = Buffer.from(text);
  return {
    digest: digestWith('sha256', bytes),
    size: bytes.length,
    async *open() {
      yield await Promise.resolve(bytes);
    },
  };
}

async function pushArtifact(
  repository: string,
  reference: string,
  more: Record<string, unknown> = {},
): Promise<Descriptor> {
  const config = blobOf('{}');
  await client.pushBlob(repository, config);
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociEmpty, digest: config.digest, size: config.size },
    layers: [],
    ...more,
  };
  const bytes = Buffer.from(JSON.stringify(document));
  const digest = await client.pushManifest(repository, {
    reference,
    mediaType: mediaTypes.ociManifest,
    bytes,
  });
  return { digest, size: bytes.length, mediaType: mediaTypes.ociManifest };
}

async function read(blob: { digest: Digest; size: number }, repository = 'a'): Promise<string> {
  return await readText(client.blob(repository, blob));
}

describe('blobs', () => {
  test('are pushed once, mounted, and readable only where they are linked', async () => {
    const blob = blobOf('some bytes');
    expect(await client.pushBlob('a', blob)).toBe('uploaded');
    expect(await client.pushBlob('a', blob)).toBe('present');
    expect(await read(blob)).toBe('some bytes');
    expect(await client.hasBlob('b', blob.digest)).toBe(false);
    await expect(read(blob, 'b')).rejects.toMatchObject({ code: 'blob_unknown' });
    expect(await client.pushBlob('b', blob, { mountFrom: 'a' })).toBe('mounted');
    expect(await read(blob, 'b')).toBe('some bytes');
  });

  test('are not mounted from a repository the caller may not read', async () => {
    const blob = blobOf('secret');
    await client.pushBlob('hidden', blob);
    decide = ({ repository }) => (repository === 'hidden' ? 'denied' : 'allowed');
    expect(await client.pushBlob('b', blob, { mountFrom: 'hidden' })).toBe('uploaded');
  });

  test('are not taken with a wrong digest', async () => {
    const lie = { ...blobOf('truth'), digest: blobOf('lie').digest };
    await expect(client.pushBlob('a', lie)).rejects.toMatchObject({ code: 'digest_mismatch' });
    expect(await client.hasBlob('a', lie.digest)).toBe(false);
  });

  test('are served in ranges', async () => {
    const blob = blobOf('0123456789');
    await client.pushBlob('a', blob);
    const url = `${registry.url}/v2/a/blobs/${blob.digest}`;
    const part = await fetch(url, { headers: { range: 'bytes=2-4' } });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe('bytes 2-4/10');
    expect(await part.text()).toBe('234');
    expect((await fetch(url, { headers: { range: 'bytes=10-' } })).status).toBe(416);
    const head = await fetch(url, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe('10');
    const match = await fetch(url, { headers: { 'if-none-match': `"${blob.digest}"` } });
    expect(match.status).toBe(304);
  });
});

describe('uploads', () => {
  async function open(): Promise<string> {
    const response = await fetch(`${registry.url}/v2/a/blobs/uploads/`, { method: 'POST' });
    expect(response.status).toBe(202);
    return `${registry.url}${response.headers.get('location') ?? ''}`;
  }
  const patch = (url: string, body: string, range: string): Promise<Response> =>
    fetch(url, { method: 'PATCH', body, headers: { 'content-range': range } });

  test('take chunks in order only and tell where they stand', async () => {
    const url = await open();
    const first = await patch(url, '01234', '0-4');
    expect([first.status, first.headers.get('range')]).toEqual([202, '0-4']);
    const hole = await patch(url, '789', '7-9');
    expect([hole.status, hole.headers.get('range')]).toEqual([416, '0-4']);
    const status = await fetch(url);
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-4']);
    expect((await patch(url, '567', '5-8')).status).toBe(400);
    const { digest } = blobOf('0123456789');
    const done = await fetch(`${url}?digest=${digest}`, {
      method: 'PUT',
      body: '56789',
      headers: { 'content-range': '5-9' },
    });
    expect(done.status).toBe(201);
    expect(done.headers.get('location')).toBe(`/v2/a/blobs/${digest}`);
    expect((await fetch(url)).status).toBe(404);
  });

  test('can be done in one request, and cancelled', async () => {
    const { digest } = blobOf('whole');
    const url = `${registry.url}/v2/a/blobs/uploads/?digest=${digest}`;
    expect((await fetch(url, { method: 'POST', body: 'whole' })).status).toBe(201);
    const cancelled = await open();
    expect((await fetch(cancelled, { method: 'DELETE' })).status).toBe(204);
    expect((await fetch(cancelled, { method: 'DELETE' })).status).toBe(404);
  });
});

describe('manifests', () => {
  test('are found by tag and digest, listed in pages, and deleted', async () => {
    const one = await pushArtifact('a', '1.0');
    await pushArtifact('a', '1.1');
    await pushArtifact('a', 'latest');
    expect(await client.resolve('a', '1.0')).toEqual(one);
    expect(await client.resolve('a', 'none')).toBeUndefined();
    expect((await client.manifest('a', one.digest)).digest).toBe(one.digest);
    expect(await client.tags('a')).toEqual(['1.0', '1.1', 'latest']);
    const page = await fetch(`${registry.url}/v2/a/tags/list?n=2`);
    expect(page.headers.get('link')).toBe('</v2/a/tags/list?n=2&last=1.1>; rel="next"');
    const remove = (reference: string): Promise<Response> =>
      fetch(`${registry.url}/v2/a/manifests/${reference}`, { method: 'DELETE' });
    expect((await remove('1.1')).status).toBe(202);
    expect(await client.tags('a')).toEqual(['1.0', 'latest']);
    expect((await remove(one.digest)).status).toBe(202);
    expect(await client.tags('a')).toEqual([]);
    await expect(client.manifest('a', '1.0')).rejects.toMatchObject({ code: 'manifest_unknown' });
  });

  test('must be valid and complete', async () => {
    const missing = blobOf('missing');
    const layer = { mediaType: mediaTypes.ociLayerTar, digest: missing.digest, size: 7 };
    await expect(pushArtifact('a', 'x', { layers: [layer] })).rejects.toMatchObject({
      code: 'manifest_blob_unknown',
    });
    await expect(pushArtifact('a', 'x', { layers: 5 })).rejects.toMatchObject({
      code: 'manifest_invalid',
    });
    const huge = { annotations: { a: 'x'.repeat(4 * 1024 * 1024) } };
    await expect(pushArtifact('a', 'x', huge)).rejects.toMatchObject({
      details: { status: 413 },
    });
    await expect(pushArtifact('a', missing.digest)).rejects.toMatchObject({
      code: 'digest_mismatch',
    });
    expect(await client.resolve('a', 'x')).toBeUndefined();
  });

  test('refer to subjects, also to ones that come later', async () => {
    const subject = { mediaType: mediaTypes.ociManifest, digest: blobOf('later').digest, size: 5 };
    const signature = await pushArtifact('a', 'sig', {
      subject,
      artifactType: 'application/vnd.example.signature',
      annotations: { by: 'us' },
    });
    await pushArtifact('a', 'sbom', { subject, artifactType: 'application/vnd.example.sbom' });
    expect(await client.referrers('a', subject.digest)).toHaveLength(2);
    expect(
      await client.referrers('a', subject.digest, {
        artifactType: 'application/vnd.example.signature',
      }),
    ).toEqual([
      {
        ...signature,
        artifactType: 'application/vnd.example.signature',
        annotations: { by: 'us' },
      },
    ]);
    expect(await client.referrers('a', signature.digest)).toEqual([]);
  });

  test('survive a restart', async () => {
    const pushed = await pushArtifact('a', '1.0');
    await client[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
    await start();
    expect(await client.resolve('a', '1.0')).toEqual(pushed);
  });
});

describe('access', () => {
  test('is asked for with repository and action', async () => {
    const asked: string[] = [];
    decide = ({ repository, action }) => {
      asked.push(`${action} ${repository ?? '-'}`);
      return 'allowed';
    };
    await client.ping();
    await pushArtifact('a/b', 'x');
    await fetch(`${registry.url}/v2/a/b/manifests/x`, { method: 'DELETE' });
    expect([...new Set(asked)]).toEqual(['pull -', 'pull a/b', 'push a/b', 'delete a/b']);
  });

  test('is refused with a challenge, or without one', async () => {
    decide = () => 'unauthenticated';
    const challenged = await fetch(`${registry.url}/v2/`);
    expect(challenged.status).toBe(401);
    expect(challenged.headers.get('www-authenticate')).toBe('Basic realm="tapline"');
    expect(await challenged.json()).toMatchObject({ errors: [{ code: 'UNAUTHORIZED' }] });
    await expect(client.tags('a')).rejects.toMatchObject({ code: 'registry_unauthorized' });
    decide = () => 'denied';
    await expect(client.tags('a')).rejects.toMatchObject({ code: 'registry_denied' });
  });
});

describe('fetching a blob', () => {
  let flaky: Server;
  let port: number;
  let ranges: (string | undefined)[];
  const content = Buffer.alloc(300_000, 'tapline ');
  const blob = { digest: digestWith('sha256', content), size: content.length };
  let honoursRanges: boolean;
  let served: Buffer;

  beforeEach(async () => {
    ranges = [];
    honoursRanges = true;
    served = content;
    flaky = createServer((request, response) => {
      ranges.push(request.headers.range);
      const asked = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const from = honoursRanges ? asked : 0;
      const rest = served.subarray(from);
      response.writeHead(from > 0 ? 206 : 200, { 'content-length': rest.length });
      const broken = ranges.length < 3;
      response.write(broken ? rest.subarray(0, 100_000) : rest, () => {
        if (broken) response.destroy();
        else response.end();
      });
    });
    await new Promise<void>((resolve) => {
      flaky.listen(0, '127.0.0.1', resolve);
    });
    port = (flaky.address() as { port: number }).port;
  });
  afterEach(() => flaky.close());

  async function fetchAll(): Promise<Buffer> {
    await using broken = createRegistryClient({ baseUrl: `http://127.0.0.1:${port}` });
    return await buffer(broken.blob('a', blob));
  }

  test('resumes by range where the connection breaks', async () => {
    expect((await fetchAll()).equals(content)).toBe(true);
    expect(ranges).toEqual([undefined, 'bytes=100000-', 'bytes=200000-']);
  });

  test('starts again where the server knows no ranges', async () => {
    honoursRanges = false;
    expect((await fetchAll()).equals(content)).toBe(true);
  });

  test('refuses other bytes', async () => {
    served = Buffer.from(content);
    served[299_999] = 0;
    await expect(fetchAll()).rejects.toMatchObject({ code: 'digest_mismatch' });
  });

  test('says when nobody answers', async () => {
    flaky.close();
    await using nobody = createRegistryClient({ baseUrl: 'http://127.0.0.1:1', attempts: 1 });
    await expect(nobody.ping()).rejects.toMatchObject({ code: 'registry_unreachable' });
  });
});

test('pushes an index from a store and sends nothing twice', async () => {
  const store = await FileBlobStore.open(join(directory, 'store'));
  const put = async (bytes: Uint8Array): Promise<{ digest: Digest; size: number }> => {
    await using writer = await store.openWriter();
    await writer.write(bytes);
    return await writer.commit();
  };
  const layer = await put(Buffer.alloc(100_000, 7));
  const children: Descriptor[] = [];
  for (const os of ['linux', 'darwin']) {
    const config = await put(Buffer.from(JSON.stringify({ os })));
    const manifest = await put(
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: mediaTypes.ociManifest,
          config: { ...config, mediaType: mediaTypes.ociConfig },
          layers: [{ ...layer, mediaType: mediaTypes.ociLayerTar }],
        }),
      ),
    );
    children.push({ ...manifest, mediaType: mediaTypes.ociManifest });
  }
  const index = await put(
    Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: children }),
    ),
  );
  const options = { repository: 'p/q', digest: index.digest, tag: 'v1' };
  const first = await pushImage(client, store, options);
  expect(first.uploaded).toHaveLength(3);
  const again = await pushImage(client, store, options);
  expect([again.uploaded, again.uploadedBytes]).toEqual([[], 0]);
  expect((await client.manifest('p/q', 'v1')).manifest.kind).toBe('index');
});

test('a client that stops reading stops the server from reading the blob', async () => {
  const size = 64 * 1024 * 1024;
  await using writer = await registry.blobs.openWriter();
  const chunk = Buffer.alloc(1024 * 1024, 1);
  for (let written = 0; written < size; written += chunk.length) await writer.write(chunk);
  const { digest } = await writer.commit();
  await client.pushBlob('a', {
    ...blobOf(''),
    digest,
    size,
    open: () => registry.blobs.read(digest),
  });
  const before = process.memoryUsage().rss;
  const socket = connect(registry.port, '127.0.0.1');
  socket.write(`GET /v2/a/blobs/${digest} HTTP/1.1\r\nhost: x\r\n\r\n`);
  socket.once('data', () => socket.pause());
  await new Promise((resolve) => {
    setTimeout(resolve, 300);
  });
  expect(process.memoryUsage().rss - before).toBeLessThan(size / 2);
  socket.destroy();
});
