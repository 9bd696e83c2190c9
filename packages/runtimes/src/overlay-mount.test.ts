import { expect, test } from 'vitest';
import { overlayOptions } from './overlay-mount.ts';

test('fits 55 layers into one mount, and says when there are too many', () => {
  const lower = (count: number): string[] =>
    Array.from({ length: count }, () => `${'a'.repeat(64)}/files`);
  expect(overlayOptions(['b', 'a'])).toBe('ro,lowerdir=b:a');
  expect(overlayOptions([...lower(55), '../rootfs-empty'])).toBeDefined();
  expect(overlayOptions(lower(60))).toBeUndefined();
});
