import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLog, systemClock } from '@tapline/base';
import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { responseOf } from '../testing/response-of.ts';
import { DiskBody } from './disk-body.ts';
import { DiskTier } from './disk-tier.ts';

const size = 1_000_003;
const bytes = randomBytes(size);

async function tierWith(
  directory: string,
  capacityBytes = 64 * 1024 * 1024,
): Promise<DiskTier & { readonly counters: { diskFailures: number; corrupt: number } }> {
  const counters = { diskFailures: 0, corrupt: 0 };
  const tier = await DiskTier.open({
    directory,
    capacityBytes,
    segmentBytes: 1024,
    clock: systemClock,
    log: silentLog,
    counters,
  });
  return Object.assign(tier, { counters });
}

async function bodyOf(tier: DiskTier, key = 'c /large'): Promise<DiskBody> {
  const body = (await tier.find(key, []))?.body;
  if (body instanceof DiskBody) return body;
  throw new Error('it is not on disk');
}

async function read(body: DiskBody, start: number, end: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  // What is given is valid until the next one only.
  for await (const piece of body.pieces({ start, end })) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

test('any span of a large body is what was written, for many readers at once', async () => {
  await using folder = await temporaryFolder();
  await using tier = await tierWith(folder.path);
  await tier.put(responseOf('c /large', bytes));
  const body = await bodyOf(tier);
  expect((await body.whole()).equals(bytes)).toBe(true);
  const spans = [
    [0, size],
    [0, 1],
    [size - 1, size],
    [65_535, 65_537],
    [65_536, 131_072],
    [262_143, 600_000],
  ] as const;
  const results = await Promise.all(spans.map(([start, end]) => read(body, start, end)));
  for (const [at, [start, end]] of spans.entries()) {
    expect(results[at]?.equals(bytes.subarray(start, end))).toBe(true);
  }
});

test('damage is found in the piece that it is in, and is forgotten', async () => {
  await using folder = await temporaryFolder();
  {
    await using first = await tierWith(folder.path);
    await first.put(responseOf('c /large', bytes));
  }
  const name = (await readdir(folder.path)).find((one) => one.endsWith('.seg')) ?? '';
  const path = join(folder.path, name);
  const segment = await readFile(path);
  const at = segment.length - 10_000;
  segment[at] = (segment[at] ?? 0) ^ 1;
  await writeFile(path, segment);
  await using tier = await tierWith(folder.path);
  const body = await bodyOf(tier);
  expect((await read(body, 0, 500_000)).equals(bytes.subarray(0, 500_000))).toBe(true);
  await expect(read(body, 0, size)).rejects.toMatchObject({ code: 'not_kept' });
  expect(tier.counters.corrupt).toBe(1);
  expect(await tier.find('c /large', [])).toBeUndefined();
});

test('what is being read is read to its end although it is evicted', async () => {
  await using folder = await temporaryFolder();
  await using tier = await tierWith(folder.path, 5 * size);
  await tier.put(responseOf('c /large', bytes));
  const body = await bodyOf(tier);
  const pieces = body.pieces({ start: 0, end: size });
  const first = await pieces.next();
  expect(Buffer.from(first.value ?? []).equals(bytes.subarray(0, first.value?.length))).toBe(true);
  let length = first.value?.length ?? 0;
  for (let index = 0; index < 12; index += 1) {
    await tier.put(responseOf(`c /${index}`, randomBytes(size)));
  }
  expect(await tier.find('c /large', [])).toBeUndefined();
  for await (const piece of pieces) {
    expect(bytes.subarray(length, length + piece.length).equals(piece)).toBe(true);
    length += piece.length;
  }
  expect(length).toBe(size);
  // Who comes only now is told that it is gone.
  await expect(body.whole()).rejects.toMatchObject({ code: 'not_kept' });
});
