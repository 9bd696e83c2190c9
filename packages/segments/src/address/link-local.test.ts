import { expect, test } from 'vitest';
import { linkLocal } from './link-local.ts';

test('link-local addresses are those of Linux', () => {
  expect(linkLocal('02:a1:b2:c3:01:02')).toBe('fe80::a1:b2ff:fec3:102');
});
