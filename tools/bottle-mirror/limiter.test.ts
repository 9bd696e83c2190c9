import { expect, test } from 'vitest';

import { createLimiter } from './limiter.ts';

test('never runs more than its width, and all of them in the end', async () => {
  const limit = createLimiter(2);
  let running = 0;
  let most = 0;
  const results = await Promise.allSettled(
    [1, 2, 3, 4, 5, 6].map((number) =>
      limit(async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        if (number === 3) throw new Error('three');
        return number;
      }),
    ),
  );
  expect(most).toBe(2);
  expect(results.map(({ status }) => status === 'fulfilled')).toEqual([
    true,
    true,
    false,
    true,
    true,
    true,
  ]);
});
