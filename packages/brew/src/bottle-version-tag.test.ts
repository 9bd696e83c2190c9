import { expect, test } from 'vitest';
import { bottleVersionTag } from './bottle-version-tag.ts';

test.each([
  ['1.8.1', 0, '1.8.1'],
  ['1.8.1_2', 0, '1.8.1_2'],
  ['6.9.10', 1, '6.9.10-1'],
  ['2024.1+git', 3, '2024.1.git-3'],
  ['1.0~rc1', 0, '1.0.rc1'],
])('version %s with rebuild %i has the tag %s', (version, rebuild, tag) => {
  expect(bottleVersionTag(version, rebuild)).toBe(tag);
});
