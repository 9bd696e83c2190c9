import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isTaplineError, ManualClock } from '@tapline/base';
import { digestBytes } from '@tapline/oci';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileBlobStore } from './file-blob-store.ts';
import { sha256 } from './sha256.ts';
import { UploadSessions } from './upload-sessions.ts';

let directory: string;
let blobs: FileBlobStore;
let clock: ManualClock;
let uploads: UploadSessions;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tapline-uploads-'));
  blobs = await FileBlobStore.open(directory);
  clock = new ManualClock();
  uploads = new UploadSessions({ blobs, clock, limit: 2, idleMs: 1000 });
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
        const id = await uploads.open('a');
        const all = Buffer.concat(chunks.map(({ bytes }) => bytes));
        let size = 0;
        for (const { bytes, gap } of chunks) {
          const start = size + gap;
          const part = { body: stream(bytes), chunk: { start, end: start + bytes.length } };
          const refusal = gap === 0 ? undefined : await uploads.append('a', id, part).catch(codeOf);
          expect(refusal).toBe(gap === 0 ? undefined : 'blob_upload_range');
          const chunk = { start: size, end: size + bytes.length };
          size = await uploads.append('a', id, { body: stream(bytes), chunk });
          expect(size).toBe(chunk.end);
        }
        const digest = digestBytes(all, sha256);
        const rest = stream(new Uint8Array());
        expect(await uploads.finish('a', id, { body: rest, digest })).toEqual({ digest, size });
        expect(() => uploads.size('a', id)).toThrow(
          expect.objectContaining({ code: 'blob_upload_unknown' }),
        );
      },
    ),
    { numRuns: 25 },
  );
});

test('an upload belongs to its repository', async () => {
  const id = await uploads.open('a');
  expect(() => uploads.size('b', id)).toThrow(
    expect.objectContaining({ code: 'blob_upload_unknown' }),
  );
});

test('what came before a broken connection stays', async () => {
  const id = await uploads.open('a');
  async function* broken(): AsyncGenerator<Uint8Array, void> {
    yield await Promise.resolve(Buffer.from('12345'));
    throw new Error('reset');
  }
  await expect(uploads.append('a', id, { body: broken() })).rejects.toThrow('reset');
  expect(uploads.size('a', id)).toBe(5);
});

test('a second request to an upload that is taking one is refused', async () => {
  const id = await uploads.open('a');
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
  await uploads.open('a');
  await uploads.open('a');
  await expect(uploads.open('a')).rejects.toMatchObject({ code: 'too_many_uploads' });
  await clock.advance(1001);
  await uploads.open('a');
  expect(await readdir(join(directory, 'partial'))).toHaveLength(1);
});
