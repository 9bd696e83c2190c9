import { expect, test } from 'vitest';
import { vlanMark } from './vlan-mark.ts';

const groups = [1, 2, 16, 0xffff];
const vlans = Array.from({ length: 4094 }, (_, number) => number + 1);

test('each VLAN and group has its own mark, which VXLAN sends the group of and no flag', () => {
  const marks = vlans.flatMap((vlan) =>
    groups.map((group) => ({ group, mark: vlanMark(vlan, group) })),
  );
  expect(new Set(marks.map(({ mark }) => mark)).size).toBe(4094 * groups.length);
  const flags = (1 << 19) | (1 << 22);
  const wrong = marks.filter(
    ({ group, mark }) => (mark & 0xffff) !== group || (mark & flags) !== 0 || mark >= 2 ** 30,
  );
  expect(wrong).toEqual([]);
});
