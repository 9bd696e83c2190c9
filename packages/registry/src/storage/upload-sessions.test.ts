import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isTaplineError, ManualClock, TaplineError } from '@tapline/base';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileBlobStore } from './file-blob-store.ts';
import { digestWith } from './digest-algorithm.ts';
import { UploadSessions } from './upload-sessions.ts';

let directory: string;
let blobs: FileBlobStore;
let clock: ManualClock;
let uploads: UploadSessions;
let linked: string[];
let refusal: () => Promise<void>;

function open(): Promise<UploadSessions> {
  return UploadSessions.open({
    blobs,
    clock,
    limit: 2,
    idleMs: 1000,
    assertRoom: () => refusal(),
    link: (repository, { digest }) => {
      linked.push(`${repository} ${digest}`);
      return refusal();
    },
  });
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tapline-uploads-'));
  blobs = await FileBlobStore.open(directory);
  clock = new ManualClock();
  linked = [];
  refusal = () => Promise.resolve();
  uploads = await open();
});
afterEach(async () => {
  await uploads[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

function codeOf(error: unknown): unknown {
  return isTaplineError(error) ? error.code : error;
}

async function* stream(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield await Promise.resolve(bytes);
}

test('chunks in any sizes, with refused ones between them, add up to the blob', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }),
          gap: fc.integer({ min: -3, max: 3 }),
        }),
        { maxLength: 6 },
      ),
      async (chunks) => {
        const id = await uploads.create('a');
        const all = Buffer.concat(chunks.map(({ bytes }) => bytes));
        let size = 0;
        for (const { bytes, gap } of chunks) {
          const start = size + gap;
          const part = { body: stream(bytes), chunk: { start, end: start + bytes.length } };
          const refused = gap === 0 ? undefined : await uploads.append('a', id, part).catch(codeOf);
          expect(refused).toBe(gap === 0 ? undefined : 'blob_upload_range');
          const chunk = { start: size, end: size + bytes.length };
          size = await uploads.append('a', id, { body: stream(bytes), chunk });
          expect(size).toBe(chunk.end);
        }
        const digest = digestWith('sha256', all);
        const rest = stream(new Uint8Array());
        expect(await uploads.finish('a', id, { body: rest, digest })).toEqual({ digest, size });
        await expect(uploads.size('a', id)).rejects.toMatchObject({
          code: 'blob_upload_unknown',
        });
      },
    ),
    { numRuns: 25 },
  );
});

test('an upload belongs to its repository', async () => {
  const id = await uploads.create('a');
  await expect(uploads.size('b', id)).rejects.toMatchObject({ code: 'blob_upload_unknown' });
});

test('what came before a broken connection stays', async () => {
  const id = await uploads.create('a');
  async function* broken(): AsyncGenerator<Uint8Array, void> {
    yield await Promise.resolve(Buffer.from('12345'));
    throw new Error('reset');
  }
  await expect(uploads.append('a', id, { body: broken() })).rejects.toThrow('reset');
  expect(await uploads.size('a', id)).toBe(5);
});

test('a second request to an upload that is taking one is refused', async () => {
  const id = await uploads.create('a');
  const hold = Promise.withResolvers<void>();
  async function* slow(): AsyncGenerator<Uint8Array, void> {
    await hold.promise;
    yield Buffer.from('x');
  }
  const first = uploads.append('a', id, { body: slow() });
  await expect(uploads.append('a', id, { body: slow() })).rejects.toMatchObject({
    code: 'blob_upload_busy',
  });
  hold.resolve();
  expect(await first).toBe(1);
});

test('uploads are limited, and idle ones make room', async () => {
  await uploads.create('a');
  await uploads.create('a');
  await expect(uploads.create('a')).rejects.toMatchObject({ code: 'too_many_uploads' });
  await clock.advance(1001);
  await uploads.create('a');
  expect(await readdir(join(directory, 'uploads', 'a'))).toHaveLength(1);
});

test('an upload goes on in the next process, byte for byte', async () => {
  const id = await uploads.create('team/tool');
  await uploads.append('team/tool', id, { body: stream(Buffer.from('hello, ')) });
  await uploads[Symbol.asyncDispose]();
  uploads = await open();
  expect(await uploads.size('team/tool', id)).toBe(7);
  const digest = digestWith('sha256', Buffer.from('hello, world'));
  const rest = { body: stream(Buffer.from('world')), digest };
  expect(await uploads.finish('team/tool', id, rest)).toEqual({ digest, size: 12 });
  expect(linked).toEqual([`team/tool ${digest}`]);
});

test('a digest by another algorithm is computed where nobody announced it', async () => {
  const digest = digestWith('sha512', Buffer.from('hello'));
  const id = await uploads.create('a');
  await uploads.finish('a', id, { body: stream(Buffer.from('hello')), digest });
  expect(await blobs.size(digest)).toBe(5);
});

test('an upload that found no room is finished once there is some', async () => {
  const digest = digestWith('sha256', Buffer.from('hello'));
  const id = await uploads.create('a');
  await uploads.append('a', id, { body: stream(Buffer.from('hel')) });
  const full = (): Promise<void> => Promise.reject(new TaplineError('storage_full', 'full'));
  refusal = full;
  const rest = { body: stream(Buffer.from('lo')), digest };
  await expect(uploads.finish('a', id, rest)).rejects.toMatchObject({ code: 'storage_full' });
  expect(await uploads.size('a', id)).toBe(3);
  refusal = () => Promise.resolve();
  await uploads.append('a', id, { body: stream(Buffer.from('lo')) });
  // Now everything is on the disk, and only the catalog does not take it.
  refusal = full;
  const empty = { body: stream(new Uint8Array()), digest };
  await expect(uploads.finish('a', id, empty)).rejects.toMatchObject({ code: 'storage_full' });
  expect(await uploads.size('a', id)).toBe(5);
  refusal = () => Promise.resolve();
  expect(await uploads.finish('a', id, { body: stream(new Uint8Array()), digest })).toEqual({
    digest,
    size: 5,
  });
});
