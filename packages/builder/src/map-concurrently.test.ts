import { expect, test } from 'vitest';
import { mapConcurrently } from './map-concurrently.ts';

test('results are in order, and no more than the limit run at once', async () => {
  let running = 0;
  let most = 0;
  const results = await mapConcurrently([5, 1, 3, 0, 2], { limit: 2 }, async (turns) => {
    running += 1;
    most = Math.max(most, running);
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    running -= 1;
    return turns * 10;
  });
  expect(results).toEqual([50, 10, 30, 0, 20]);
  expect(most).toBe(2);
});

test('the first failure aborts the others and is thrown once they have ended', async () => {
  const ended: number[] = [];
  const started: number[] = [];
  const work = mapConcurrently([0, 1, 2, 3], { limit: 2 }, async (item, signal) => {
    started.push(item);
    if (item === 1) throw new Error('first');
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    ended.push(item);
    throw new Error('second');
  });
  await expect(work).rejects.toThrow('first');
  expect({ started, ended }).toEqual({ started: [0, 1], ended: [0] });
});
