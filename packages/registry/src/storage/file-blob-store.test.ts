import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileBlobStore } from './file-blob-store.ts';
import { digestWith } from './digest-algorithm.ts';

let directory: string;
let store: FileBlobStore;
const hello = Buffer.from('hello, world');
const helloDigest = digestWith('sha256', hello);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tapline-blobs-'));
  store = await FileBlobStore.open(directory);
});
afterEach(async () => await rm(directory, { recursive: true }));

async function put(bytes: Uint8Array): Promise<void> {
  await using writer = await store.openWriter();
  await writer.write(bytes);
  await writer.commit();
}

async function readText(range?: { start?: number; end?: number }): Promise<string> {
  return await text(store.read(helloDigest, range));
}

test('a committed blob is found, read in parts and listed', async () => {
  await put(hello);
  expect(await store.size(helloDigest)).toBe(12);
  expect(await readText()).toBe('hello, world');
  expect(await readText({ start: 7 })).toBe('world');
  expect(await readText({ start: 2, end: 5 })).toBe('llo');
  expect(await readText({ start: 12 })).toBe('');
  await expect(readText({ start: 5, end: 13 })).rejects.toMatchObject({ code: 'range_invalid' });
  expect(await Readable.from(store.list()).toArray()).toEqual([{ digest: helloDigest, size: 12 }]);
  expect(await store.delete(helloDigest)).toBe(true);
  expect(await store.delete(helloDigest)).toBe(false);
  await expect(readText()).rejects.toMatchObject({ code: 'blob_unknown' });
});

test('nothing is visible before the commit, nor after an abort or a wrong digest', async () => {
  {
    await using writer = await store.openWriter();
    await writer.write(hello);
    expect(await store.has(helloDigest)).toBe(false);
  }
  await using writer = await store.openWriter();
  await writer.write(Buffer.from('hello, world!'));
  await expect(writer.commit(helloDigest)).rejects.toMatchObject({ code: 'digest_mismatch' });
  expect(await Readable.from(store.list()).toArray()).toEqual([]);
  expect(await readdir(join(directory, 'partial'))).toEqual([]);
});

test('opening sweeps what a killed process left half-written', async () => {
  const writer = await store.openWriter();
  await writer.write(hello);
  expect(await readdir(join(directory, 'partial'))).toHaveLength(1);
  await FileBlobStore.open(directory);
  expect(await readdir(join(directory, 'partial'))).toEqual([]);
  await writer.abort();
});

test('writers of the same blob at the same time all succeed', async () => {
  await Promise.all(Array.from({ length: 8 }, () => put(hello)));
  expect(await Readable.from(store.list()).toArray()).toEqual([{ digest: helloDigest, size: 12 }]);
});
