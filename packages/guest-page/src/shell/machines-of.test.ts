import { expect, test } from 'vitest';
import { machinesOf } from './machines-of.ts';

const safari =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15';
const chrome =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36';

test('an iPad, which calls itself a Mac with a screen that is touched, has few', () => {
  expect(machinesOf({ userAgent: safari, maxTouchPoints: 5 })).toBe(3);
  expect(machinesOf({ userAgent: safari, maxTouchPoints: 0 })).toBe(8);
  expect(machinesOf({ userAgent: chrome, maxTouchPoints: 10 })).toBe(8);
});
