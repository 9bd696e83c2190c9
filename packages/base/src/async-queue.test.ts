import { describe, expect, test } from 'vitest';
import { AsyncQueue } from './async-queue.ts';

describe('AsyncQueue', () => {
  test('gives items in order, queued or awaited, and ends when closed', async () => {
    const queue = new AsyncQueue<number>();
    queue.push(1);
    const seen: number[] = [];
    const reading = (async () => {
      for await (const item of queue) seen.push(item);
    })();
    await Promise.resolve();
    queue.push(2);
    queue.push(3);
    queue.close();
    await reading;
    expect(seen).toEqual([1, 2, 3]);
  });

  test('refuses what exceeds its capacity and what comes after the end', () => {
    const queue = new AsyncQueue<number>({ capacity: 2 });
    expect([queue.push(1), queue.push(2), queue.push(3)]).toEqual([true, true, false]);
    queue.close();
    expect(queue.push(4)).toBe(false);
  });

  test('an error comes after what was queued before it', async () => {
    const queue = new AsyncQueue<number>();
    queue.push(1);
    queue.close(new Error('cut'));
    expect(await queue.next()).toEqual({ value: 1, done: false });
    await expect(queue.next()).rejects.toThrow('cut');
    expect(await queue.next()).toEqual({ value: undefined, done: true });
  });

  test('keeps its order over many items', async () => {
    const queue = new AsyncQueue<number>();
    for (let item = 0; item < 5000; item += 1) queue.push(item);
    for (let item = 0; item < 5000; item += 1) expect((await queue.next()).value).toBe(item);
    expect(queue.size).toBe(0);
  });
});
