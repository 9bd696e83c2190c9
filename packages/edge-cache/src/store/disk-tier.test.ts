import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { seededRng, silentLog, systemClock } from '@tapline/base';
import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { responseOf } from '../testing/response-of.ts';
import { DiskTier } from './disk-tier.ts';
import type { KeptResponse } from './stored-response.ts';

const kibibyte = 1024;

async function openTier(
  directory: string,
  capacityBytes = 4096 * kibibyte,
): Promise<DiskTier & { readonly counters: { diskFailures: number; corrupt: number } }> {
  const counters = { diskFailures: 0, corrupt: 0 };
  const segmentBytes = 64 * kibibyte;
  const tier = await DiskTier.open({
    directory,
    capacityBytes,
    segmentBytes,
    clock: systemClock,
    log: silentLog,
    counters,
  });
  return Object.assign(tier, { counters });
}

function bodyOf(index: number, size = 8 * kibibyte): Buffer {
  return Buffer.alloc(size, `${index} `);
}

function holds(found: KeptResponse | undefined, body: Buffer): boolean {
  return Buffer.isBuffer(found?.body) && found.body.equals(body);
}

async function fillTier(tier: DiskTier, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1)
    await tier.put(responseOf(`c /${index}`, bodyOf(index)));
}

test('what was kept is there after a restart, sealed segments and the last one', async () => {
  await using folder = await temporaryFolder();
  await using first = await openTier(folder.path);
  await fillTier(first, 40);
  await first.putMarker({ kind: 'variants', key: 'c /v', lists: [['accept']] });
  await first.put(responseOf('c /v ["x"]', Buffer.from('x')));
  await first[Symbol.asyncDispose]();
  await using again = await openTier(folder.path);
  expect(again.objects).toBe(42);
  for (let index = 0; index < 40; index += 1) {
    expect(holds(await again.find(`c /${index}`, []), bodyOf(index))).toBe(true);
  }
  expect((await again.find('c /v', [['accept', 'x']]))?.head.tags).toEqual(['t']);
  expect(await again.find('c /v', [['accept', 'y']])).toBeUndefined();
});

test('without an index, and with a torn end, the rest is found', async () => {
  await using folder = await temporaryFolder();
  const first = await openTier(folder.path);
  await fillTier(first, 20);
  await first[Symbol.asyncDispose]();
  const names = (await readdir(folder.path)).toSorted();
  for (const name of names.filter((one) => one.endsWith('.idx')))
    await writeFile(join(folder.path, name), 'x');
  const last = names.findLast((name) => name.endsWith('.seg')) ?? '';
  const size = (await readFile(join(folder.path, last))).length;
  await truncate(join(folder.path, last), size - 100);
  await using again = await openTier(folder.path);
  expect(again.objects).toBe(19);
  expect(holds(await again.find('c /0', []), bodyOf(0))).toBe(true);
  expect(await again.find('c /19', [])).toBeUndefined();
});

test('a damaged byte anywhere is never served', async () => {
  await using folder = await temporaryFolder();
  const first = await openTier(folder.path);
  await fillTier(first, 6);
  await first[Symbol.asyncDispose]();
  const path = join(
    folder.path,
    (await readdir(folder.path)).find((name) => name.endsWith('.seg')) ?? '',
  );
  const whole = await readFile(path);
  const rng = seededRng(7);
  for (let round = 0; round < 60; round += 1) {
    const damaged = Buffer.from(whole);
    const at = Math.floor(rng() * damaged.length);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << Math.floor(rng() * 8));
    await writeFile(path, damaged);
    await using again = await openTier(folder.path);
    const found = await Promise.all(
      Array.from({ length: 6 }, (_, index) => again.find(`c /${index}`, [])),
    );
    const wrong = found.filter((one, index) => one !== undefined && !holds(one, bodyOf(index)));
    const missing = found.filter((one) => one === undefined).length;
    expect(wrong).toEqual([]);
    // Damage to padding harms nobody.
    expect(missing).toBeLessThanOrEqual(1);
    expect(again.counters.corrupt).toBe(missing);
  }
});

test('it stays within its capacity, and what is used and pinned stays', async () => {
  await using folder = await temporaryFolder();
  const capacity = 1024 * kibibyte;
  await using tier = await openTier(folder.path, capacity);
  await tier.put(responseOf('c /pinned', bodyOf(1)));
  tier.pin('c /pinned', true);
  await tier.put(responseOf('c /used', bodyOf(2)));
  for (let index = 0; index < 400; index += 1) {
    // Twice: a full disk takes in nothing that comes once.
    await tier.put(responseOf(`c /scan/${index}`, bodyOf(index)));
    await tier.put(responseOf(`c /scan/${index}`, bodyOf(index)));
    if (index % 5 === 0) tier.touch('c /used');
  }
  expect(tier.bytes).toBeLessThanOrEqual(capacity + 2 * 64 * kibibyte);
  expect(await tier.find('c /pinned', [])).toBeDefined();
  expect(await tier.find('c /used', [])).toBeDefined();
  expect(await tier.find('c /scan/0', [])).toBeUndefined();
  const names = await readdir(folder.path);
  expect(names.filter((name) => name.endsWith('.seg')).length).toBeLessThan(24);
});

test('a full disk takes in only what comes again, and pins take half of it at most', async () => {
  await using folder = await temporaryFolder();
  const capacity = 1024 * kibibyte;
  await using tier = await openTier(folder.path, capacity);
  await fillTier(tier, 200);
  await tier.put(responseOf('c /once', bodyOf(1)));
  expect(await tier.find('c /once', [])).toBeUndefined();
  expect(tier.touch('c /once')).toBe(false);
  await tier.put(responseOf('c /once', bodyOf(1)));
  expect(holds(await tier.find('c /once', []), bodyOf(1))).toBe(true);
  // A pin is a wish: it comes in at once.
  await tier.put(responseOf('c /pinned', bodyOf(2)), { pinned: true });
  expect(await tier.find('c /pinned', [])).toBeDefined();
  for (let index = 0; index < 200; index += 1) {
    await tier.put(responseOf(`c /pin/${index}`, bodyOf(index)), { pinned: true });
  }
  const pinned = Array.from({ length: 200 }, (_, index) => tier.pin(`c /pin/${index}`, true));
  expect(pinned.filter(Boolean).length).toBeLessThan(70);
  expect(tier.bytes).toBeLessThanOrEqual(capacity + 2 * 64 * kibibyte);
});

test('a second process is kept out', async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, 'lock'), String(process.ppid));
  await expect(openTier(folder.path)).rejects.toMatchObject({ code: 'directory_locked' });
  // Of a process that is gone it says nothing.
  await writeFile(join(folder.path, 'lock'), '999999999');
  await using tier = await openTier(folder.path);
  expect(tier.objects).toBe(0);
});
