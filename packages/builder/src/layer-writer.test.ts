import { randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { gunzipSync, inflateRawSync, constants, zstdDecompressSync } from 'node:zlib';
import { encodeTar, parseFileIndex, type TarMember } from '@tapline/oci';
import { FileBlobStore } from '@tapline/registry';
import { haveProgram, temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { pieceBytes, type Compression } from './compression.ts';
import type { WrittenLayer } from './layer-record.ts';
import { createLayerThreads } from './layer-threads.ts';
import { createLayerSink } from './layer-sink.ts';

import { readAll } from './testing/read-all.ts';
import { testSink } from './testing/test-sink.ts';

const noise = randomBytes(2_500_000);
const entry = { mode: 0o644, uid: 0, gid: 0, size: 0, mtimeSeconds: 1 };
const members: readonly TarMember[] = [
  { entry: { ...entry, kind: 'directory', path: 'd' } },
  { entry: { ...entry, kind: 'file', path: 'd/noise', size: noise.length }, data: noise },
  { entry: { ...entry, kind: 'file', path: 'd/text', size: 6 }, data: Buffer.from('hello\n') },
  { entry: { ...entry, kind: 'hardlink', path: 'd/same', linkTarget: 'd/text' } },
  { entry: { ...entry, kind: 'symlink', path: 'd/link', linkTarget: 'text' } },
  { entry: { ...entry, kind: 'file', path: 'd/empty' } },
];
const tar = Buffer.concat([...encodeTar(members)]);

async function* cut(bytes: number): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < tar.length; at += bytes) yield tar.subarray(at, at + bytes);
}

async function write(
  store: FileBlobStore,
  compression: Compression,
  bytes: number,
): Promise<WrittenLayer> {
  return await testSink(store, compression).write(cut(bytes), {});
}

test.each(['gzip', 'zstd'] as const)(
  'a layer in %s is the tar again, however it was cut when it came',
  async (compression) => {
    await using folder = await temporaryFolder();
    const store = await FileBlobStore.open(folder.path);
    const layer = await write(store, compression, 10_007);
    const others = [1_000_000, pieceBytes, tar.length];
    for (const bytes of others) expect(await write(store, compression, bytes)).toEqual(layer);
    const blob = await readAll(store.read(layer.digest));
    const unpacked = compression === 'gzip' ? gunzipSync(blob) : zstdDecompressSync(blob);
    expect(unpacked.equals(tar)).toBe(true);
    const program = compression === 'gzip' ? 'gzip' : 'zstd';
    if (!haveProgram(program)) return;
    const options = { input: blob, maxBuffer: tar.length * 2 };
    expect(execFileSync(program, ['-dc'], options).equals(tar)).toBe(true);
  },
);

test.each(['gzip', 'zstd'] as const)(
  'the file index of a layer in %s says which bytes hold a file',
  async (compression) => {
    await using folder = await temporaryFolder();
    const store = await FileBlobStore.open(folder.path);
    const layer = await write(store, compression, 99_991);
    const blob = await readAll(store.read(layer.digest));
    const text = gunzipSync(await readAll(store.read(layer.fileIndex.digest)));
    const index = parseFileIndex(text);
    expect(index).toMatchObject({ layer: layer.digest, compression, pieceBytes });
    expect(index.paths.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      'file d/noise',
      'file d/text',
      'file d/same',
      'symlink d/link',
      'file d/empty',
    ]);
    const ends = [...index.pieces.slice(1), index.end];
    const pieces = index.pieces.map((start, at) => {
      const piece = blob.subarray(start, ends[at]);
      return compression === 'zstd'
        ? zstdDecompressSync(piece)
        : inflateRawSync(piece, { finishFlush: constants.Z_SYNC_FLUSH });
    });
    expect(Buffer.concat(pieces).equals(tar)).toBe(true);
    for (const path of index.paths) {
      if (path.kind !== 'file') continue;
      const found = tar.subarray(path.offset, path.offset + path.size);
      expect(
        found.equals(path.path === 'd/noise' ? noise : Buffer.from(path.size ? 'hello\n' : '')),
      ).toBe(true);
    }
  },
);

test('threads compress as this one does', async () => {
  await using folder = await temporaryFolder();
  await using threads = createLayerThreads({ threads: 2 });
  const store = await FileBlobStore.open(join(folder.path, 'store'));
  const sink = createLayerSink({ store, compression: 'gzip', threads });
  expect(await sink.write(cut(65_536), {})).toEqual(await write(store, 'gzip', 4096));
});

test('a pool that is closed says so', async () => {
  const pool = createLayerThreads({ threads: 1 });
  const compress = (): Promise<unknown> =>
    pool.compress({ compression: 'gzip', buffers: pool.memory.take(), length: pieceBytes });
  const asked = [compress(), compress()];
  const answers = Promise.allSettled(asked);
  await pool[Symbol.asyncDispose]();
  const closed = { code: 'layer_thread_failed' };
  for (const { status } of await answers) expect(status).toBe('rejected');
  await expect(asked[1]).rejects.toMatchObject(closed);
  await expect(compress()).rejects.toMatchObject(closed);
});
