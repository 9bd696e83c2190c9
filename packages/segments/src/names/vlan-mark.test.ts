import { expect, test } from 'vitest';
import { vlanMark } from './vlan-mark.ts';

test('each VLAN and group has its own mark, which VXLAN sends the group of and no flag', () => {
  const marks = new Set<number>();
  for (let vlan = 1; vlan <= 4094; vlan += 1) {
    for (const group of [1, 2, 16, 0xffff]) {
      const mark = vlanMark(vlan, group);
      marks.add(mark);
      expect(mark & 0xffff).toBe(group);
      expect(mark & ((1 << 19) | (1 << 22))).toBe(0);
      expect(mark).toBeLessThan(2 ** 30);
    }
  }
  expect(marks.size).toBe(4094 * 4);
});
