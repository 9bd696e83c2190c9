import { expect, test } from 'vitest';
import { eventually } from './eventually.ts';

test('waits out failures, undefined and false, and answers what comes then', async () => {
  const answers = [undefined, false, new Error('away'), 'here'];
  const look = (): string | false | undefined => {
    const next = answers.shift();
    if (next instanceof Error) throw next;
    return next as string | false | undefined;
  };
  expect(await eventually('an answer', look)).toBe('here');
});

test('names what was not seen, and why', async () => {
  const look = (): never => {
    throw new Error('connection refused');
  };
  await expect(eventually('the server', look, { withinMs: 30 })).rejects.toMatchObject({
    message: 'not seen within 30 ms: the server',
    cause: new Error('connection refused'),
  });
});
