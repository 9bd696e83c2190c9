import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encodeTar } from '@tapline/oci';
import { FileBlobStore } from '@tapline/registry';
import { type TemporaryFolder, temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { createLayerSink } from './layer-sink.ts';
import { createLayerThreads } from './layer-threads.ts';
import type { PourRequest } from './pour/pour-bottle.ts';
import { testSink } from './testing/test-sink.ts';

const entry = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 9 } as const;

async function bottle(folder: TemporaryFolder, bytes?: Uint8Array): Promise<PourRequest> {
  const data = randomBytes(9_000_000);
  const path = 'tool/1.0/share/noise';
  const member = { entry: { ...entry, kind: 'file', path, size: data.length }, data } as const;
  const bottlePath = join(folder.path, 'bottle.tar.gz');
  await writeFile(bottlePath, bytes ?? gzipSync(Buffer.concat([...encodeTar([member])])));
  const keg = { formula: 'tool', pkgVersion: '1.0', dependencies: [], tab: {} };
  return { ...keg, bottlePath, compression: 'gzip' };
}

test('a thread pours as this one does', async () => {
  await using folder = await temporaryFolder();
  await using threads = createLayerThreads({ threads: 2 });
  const request = await bottle(folder);
  const store = await FileBlobStore.open(join(folder.path, 'store'));
  const sink = createLayerSink({ store, compression: 'gzip', threads });
  const expected = await testSink(store).pour(request, {});
  const poured = await Promise.all([1, 2, 3].map(() => sink.pour(request, {})));
  for (const layer of poured) expect(layer).toEqual(expected);
});

test('a thread stops when writing fails or is no longer wanted, and goes on with the next', async () => {
  await using folder = await temporaryFolder();
  await using threads = createLayerThreads({ threads: 1 });
  const request = await bottle(folder);
  let written = 0;
  async function full(bytes: Uint8Array): Promise<void> {
    written += bytes.length;
    if (written > 2_000_000) throw new Error('disk full');
    await Promise.resolve();
  }
  await expect(threads.pour(request, { write: full })).rejects.toThrow('disk full');
  expect(written).toBeLessThan(9_000_000);

  const stop = new AbortController();
  const aborting = threads.pour(request, {
    write: () => {
      stop.abort(new Error('not wanted'));
      return Promise.resolve();
    },
    signal: stop.signal,
  });
  await expect(aborting).rejects.toThrow('not wanted');

  let size = 0;
  const write = (bytes: Uint8Array): Promise<void> => Promise.resolve(void (size += bytes.length));
  await threads.pour(request, { write });
  expect(size).toBeGreaterThan(9_000_000);
});

test('what is wrong with a bottle comes out of the thread with its code', async () => {
  await using folder = await temporaryFolder();
  await using threads = createLayerThreads({ threads: 1 });
  const request = await bottle(folder, Buffer.from('no gzip'));
  const write = (): Promise<void> => Promise.resolve();
  await expect(threads.pour(request, { write })).rejects.toMatchObject({
    code: 'bottle_corrupt',
    details: { formula: 'tool' },
  });
});

test('closing ends what is under way', async () => {
  await using folder = await temporaryFolder();
  const threads = createLayerThreads({ threads: 1 });
  const request = await bottle(folder);
  // Until then nothing is written: the thread waits for room.
  const written = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const write = (): Promise<void> => {
    begun.resolve();
    return written.promise;
  };
  const pouring = threads.pour(request, { write });
  const outcome = pouring.catch((error: unknown) => error);
  await begun.promise;
  await threads[Symbol.asyncDispose]();
  written.resolve();
  expect(await outcome).toMatchObject({ code: 'layer_thread_failed' });
});
