import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { DiskBudget } from './disk-budget.ts';

function budget(free: number, more: { quota?: number; used?: number } = {}): DiskBudget {
  return new DiskBudget({
    path: '/data',
    floorBytes: 100,
    freeBytes: () => Promise.resolve(free),
    ...(more.quota !== undefined && {
      quota: { bytes: more.quota, used: () => Promise.resolve(more.used ?? 0) },
    }),
  });
}

test('what is reserved is gone until it is given back', async () => {
  const disk = budget(1000);
  {
    using first = await disk.reserve(600);
    expect(await disk.available()).toBe(300);
    await expect(disk.reserve(301)).rejects.toMatchObject({
      code: 'insufficient_storage',
      details: { neededBytes: 301, availableBytes: 300, path: '/data' },
    });
    first.wrote(200);
    expect(first.remainingBytes).toBe(400);
    first.wrote(500);
    expect(first.remainingBytes).toBe(0);
  }
  expect(disk.reservedBytes).toBe(0);
  expect(await disk.available()).toBe(900);
});

test('two at once do not count on the same bytes', async () => {
  const disk = budget(1000);
  const outcomes = await Promise.allSettled([disk.reserve(500), disk.reserve(500)]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
});

test('a quota bounds too, and below the floor nothing is given', async () => {
  const disk = budget(1000, { quota: 500, used: 450 });
  await expect(disk.reserve(51)).rejects.toMatchObject({ details: { availableBytes: 50 } });
  await expect(budget(50).reserve(1)).rejects.toMatchObject({ details: { availableBytes: 0 } });
});

test('asks the kernel unless told otherwise', async () => {
  const disk = new DiskBudget({ path: tmpdir(), floorBytes: 0 });
  expect(await disk.available()).toBeGreaterThan(0);
  await expect(disk.reserve(2 ** 60)).rejects.toMatchObject({ code: 'insufficient_storage' });
});
