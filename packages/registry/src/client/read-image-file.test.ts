import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateRawSync, constants, gzipSync, zstdCompressSync } from 'node:zlib';
import {
  type Digest,
  encodeFileIndex,
  fileIndexMediaType,
  mediaTypes,
  parseDigest,
} from '@tapline/oci';
import { join } from 'node:path';
import { temporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRegistry, type RunningRegistry } from '../start-registry.ts';
import { createRegistryClient } from './create-registry-client.ts';
import { readImageFile } from './read-image-file.ts';
import type { RegistryClient } from './registry-client.ts';

const repository = 'tools/demo';
const pieceBytes = 1000;

function digestOf(bytes: Uint8Array): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
}

describe.each(['gzip', 'zstd'] as const)('a file of an image, in %s', (compression) => {
  let registry: RunningRegistry;
  let client: RegistryClient;
  let image: Digest;
  const stack = new AsyncDisposableStack();
  const long = Buffer.from(Array.from({ length: 2500 }, (_, at) => (at * 7) % 251));
  const short = Buffer.from('hello\n');
  // What the reader sees of a tar: bytes at offsets.
  const tar = Buffer.concat([Buffer.alloc(512), short, Buffer.alloc(700), long, Buffer.alloc(90)]);

  async function push(bytes: Uint8Array, mediaType: string) {
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
    async function* open() {
      yield bytes;
    }
    await client.pushBlob(repository, { ...descriptor, open });
    return descriptor;
  }

  async function pushManifest(manifest: object): Promise<Digest> {
    const bytes = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, ...manifest }),
    );
    const reference = digestOf(bytes);
    const { ociManifest: mediaType } = mediaTypes;
    return await client.pushManifest(repository, { reference, mediaType, bytes });
  }

  beforeAll(async () => {
    const folder = stack.use(await temporaryFolder());
    registry = stack.use(
      await startRegistry({ directory: join(folder.path, 'r'), authorize: () => 'allowed' }),
    );
    client = stack.use(createRegistryClient({ baseUrl: registry.url }));
    const parts = [Buffer.from('head')];
    const pieces: number[] = [];
    for (let at = 0; at < tar.length; at += pieceBytes) {
      pieces.push(Buffer.concat(parts).length);
      const piece = tar.subarray(at, at + pieceBytes);
      parts.push(
        compression === 'zstd'
          ? zstdCompressSync(piece)
          : deflateRawSync(piece, { finishFlush: constants.Z_FULL_FLUSH }),
      );
    }
    const end = Buffer.concat(parts).length;
    const layer = await push(
      Buffer.concat([...parts, Buffer.from('tail')]),
      mediaTypes.ociLayerTar,
    );
    const index = encodeFileIndex({
      layer: layer.digest,
      compression,
      pieceBytes,
      pieces,
      end,
      paths: [
        { kind: 'file', path: 'a/short', offset: 512, size: short.length, digest: digestOf(short) },
        { kind: 'file', path: 'a/long', offset: 1218, size: long.length, digest: digestOf(long) },
        { kind: 'file', path: 'a/wrong', offset: 512, size: short.length, digest: digestOf(long) },
        { kind: 'file', path: 'a/empty', offset: 0, size: 0, digest: digestOf(Buffer.alloc(0)) },
        { kind: 'symlink', path: 'bin', target: 'usr/bin' },
        { kind: 'symlink', path: 'usr/bin/tool', target: '../../a/short' },
        { kind: 'symlink', path: 'loop', target: '/loop' },
      ],
    });
    const config = await push(Buffer.from('{}'), mediaTypes.ociEmpty);
    image = await pushManifest({ config, layers: [layer] });
    const indexed = await push(gzipSync(index), `${fileIndexMediaType}+gzip`);
    await pushManifest({
      artifactType: fileIndexMediaType,
      config,
      layers: [indexed],
      subject: { mediaType: mediaTypes.ociManifest, digest: image, size: 1 },
    });
  });
  afterAll(() => stack.disposeAsync());

  test('is read by its piece, or by the pieces that it is in', async () => {
    const one = await readImageFile(client, { repository, digest: image, path: '/a/short' });
    expect(Buffer.from(one.bytes).toString()).toBe('hello\n');
    expect(one.fetchedBytes).toBeLessThan(600);
    const all = await readImageFile(client, { repository, digest: image, path: '/a/long' });
    expect(Buffer.from(all.bytes).equals(long)).toBe(true);
    const none = await readImageFile(client, { repository, digest: image, path: '/a/empty' });
    expect(none).toMatchObject({ bytes: new Uint8Array(0), fetchedBytes: 0 });
  });

  test('is found through links of files and of folders', async () => {
    const file = await readImageFile(client, { repository, digest: image, path: '/bin/tool' });
    expect(file.path).toBe('/a/short');
    for (const path of ['/loop', '/a', '/missing', '/a/short/x']) {
      await expect(
        readImageFile(client, { repository, digest: image, path }),
      ).rejects.toMatchObject({ code: 'file_not_found' });
    }
  });

  test('is not believed where its digest is another, or its index is not verified', async () => {
    const wrong = { repository, digest: image, path: '/a/wrong' };
    await expect(readImageFile(client, wrong)).rejects.toMatchObject({ code: 'digest_mismatch' });
    const refused = readImageFile(
      client,
      { repository, digest: image, path: '/a/short' },
      { verify: () => Promise.reject(new Error('no')) },
    );
    await expect(refused).rejects.toThrow('no');
    const other = { repository, digest: digestOf(long), path: '/a/short' };
    await expect(readImageFile(client, other)).rejects.toMatchObject({
      code: 'file_index_missing',
    });
  });
});

test('a registry that knows no ranges is told apart from one that sends them', async () => {
  const server = createServer((_request, response) => response.end('the whole blob'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await using client = createRegistryClient({ baseUrl: `http://127.0.0.1:${port}` });
  const part = { digest: digestOf(Buffer.from('x')), start: 1, end: 3 };
  await expect(client.blobRange('a/b', part)).rejects.toMatchObject({ code: 'range_unsupported' });
  server.closeAllConnections();
  server.close();
});
