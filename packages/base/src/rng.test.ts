import { expect, test } from 'vitest';
import { createSecureRng } from './rng.ts';

test('the generator for secrets goes on beyond its pool, and does not repeat it', () => {
  const rng = createSecureRng();
  const numbers = Array.from({ length: 5000 }, rng);
  expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
  expect(new Set(numbers).size).toBeGreaterThan(4990);
});
