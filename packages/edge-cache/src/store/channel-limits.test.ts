import { silentLog, systemClock } from '@tapline/base';
import { temporaryFolder } from '@tapline/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { responseOf } from '../testing/response-of.ts';
import { DiskTier } from './disk-tier.ts';
import { channelBucket, hashKey } from './key-hash.ts';
import { MemoryTier } from './memory-tier.ts';
import { objectKey } from './object-key.ts';

const kibibyte = 1024;

describe('in memory', () => {
  const limitOf = (channel: string): number => (channel === 'small' ? 64 * kibibyte : 0);
  const put = (tier: MemoryTier, channel: string, name: string, bytes = 10 * kibibyte): boolean => {
    const { head, body } = responseOf(objectKey(channel, name), Buffer.alloc(bytes));
    return tier.put(head, body) !== undefined;
  };

  test('a channel at its limit gives up its own, and no other one', () => {
    const tier = new MemoryTier({ capacityBytes: 4096 * kibibyte, limitOf });
    for (let at = 0; at < 20; at += 1) put(tier, 'large', `/${at}`);
    const before = tier.bytesOf('large');
    for (let at = 0; at < 50; at += 1) {
      expect(put(tier, 'small', `/${at}`)).toBe(true);
      expect(tier.bytesOf('small')).toBeLessThanOrEqual(64 * kibibyte);
    }
    expect(tier.bytesOf('small')).toBeGreaterThan(40 * kibibyte);
    expect(tier.bytesOf('large')).toBe(before);
    expect(tier.find(objectKey('small', '/49'), [])).toBeDefined();
    expect(tier.find(objectKey('small', '/0'), [])).toBeUndefined();
    expect(tier.bytes).toBe(tier.bytesOf('small') + tier.bytesOf('large'));
  });

  test('what is used stays while what is not goes', () => {
    const tier = new MemoryTier({ capacityBytes: 4096 * kibibyte, limitOf });
    put(tier, 'small', '/used');
    for (let at = 0; at < 50; at += 1) {
      put(tier, 'small', `/${at}`);
      expect(tier.find(objectKey('small', '/used'), [])).toBeDefined();
    }
  });

  test('what is larger than the limit of its channel is not kept', () => {
    const tier = new MemoryTier({ capacityBytes: 4096 * kibibyte, limitOf });
    put(tier, 'small', '/there');
    expect(put(tier, 'small', '/huge', 65 * kibibyte)).toBe(false);
    expect(tier.find(objectKey('small', '/there'), [])).toBeDefined();
  });

  test('counts what there is, whatever comes and goes', () => {
    const step = fc.record({
      channel: fc.constantFrom('small', 'large', 'other'),
      name: fc.integer({ min: 0, max: 30 }).map((at) => `/${at}`),
      kibibytes: fc.integer({ min: 0, max: 70 }),
      goes: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const tier = new MemoryTier({ capacityBytes: 300 * kibibyte, limitOf });
        for (const { channel, name, kibibytes, goes } of steps) {
          if (goes) tier.delete(objectKey(channel, name));
          else put(tier, channel, name, kibibytes * kibibyte);
          const sum = ['small', 'large', 'other'].reduce((all, one) => all + tier.bytesOf(one), 0);
          expect(sum).toBe(tier.bytes);
          expect(tier.bytesOf('small')).toBeLessThanOrEqual(64 * kibibyte);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('on disk', () => {
  const limit = 300 * kibibyte;
  const open = (directory: string): Promise<DiskTier> =>
    DiskTier.open({
      directory,
      capacityBytes: 16 * 1024 * kibibyte,
      limitOf: (channel) => (channel === 'small' ? limit : 0),
      clock: systemClock,
      log: silentLog,
      counters: { diskFailures: 0, corrupt: 0 },
    });
  const put = (tier: DiskTier, channel: string, name: string): Promise<void> =>
    tier.put(responseOf(objectKey(channel, name), Buffer.alloc(10 * kibibyte)));

  test('a channel is kept within its limit, also over a restart, and others keep theirs', async () => {
    await using folder = await temporaryFolder();
    let diskBytes: readonly [number, number];
    {
      await using tier = await open(folder.path);
      for (let at = 0; at < 30; at += 1) await put(tier, 'large', `/${at}`);
      await put(tier, 'small', '/used');
      const large = tier.bytesOf('large');
      for (let at = 0; at < 100; at += 1) {
        await put(tier, 'small', `/${at}`);
        if (at % 5 === 0) tier.touch(objectKey('small', '/used'));
        expect(tier.bytesOf('small')).toBeLessThanOrEqual(limit);
      }
      expect(tier.bytesOf('small')).toBeGreaterThan(limit * 0.8);
      expect(tier.bytesOf('large')).toBe(large);
      // What is used stays, what is oldest goes first.
      expect(await tier.find(objectKey('small', '/used'), [])).toBeDefined();
      expect(await tier.find(objectKey('small', '/99'), [])).toBeDefined();
      expect(await tier.find(objectKey('small', '/0'), [])).toBeUndefined();
      diskBytes = [tier.bytesOf('small'), large];
    }
    await using next = await open(folder.path);
    // Dead records are found again by a restart; the next that comes brings it below its limit.
    expect(next.bytesOf('large')).toBe(diskBytes[1]);
    await put(next, 'small', '/next');
    expect(next.bytesOf('small')).toBeLessThanOrEqual(limit);
    expect(await next.find(objectKey('large', '/7'), [])).toBeDefined();
  });
});

test('a hash tells the channel', () => {
  const key = hashKey('news /a.ts');
  expect(key.high >>> 16).toBe(channelBucket('news'));
  expect(hashKey('news /a.ts gzip').high >>> 16).toBe(channelBucket('news'));
  expect(hashKey('news /b.ts').low).not.toBe(key.low);
});
