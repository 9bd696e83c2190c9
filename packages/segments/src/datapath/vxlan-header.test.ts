import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readVxlanHeader, writeVxlanHeader } from './vxlan-header.ts';

function read(bytes: readonly number[]) {
  const header = { vni: 0, group: 0 };
  const isRead = readVxlanHeader(Uint8Array.from(bytes), { start: 0, end: bytes.length }, header);
  return isRead ? header : undefined;
}

test('the octets of the documents', () => {
  const bytes = new Uint8Array(8);
  writeVxlanHeader(bytes, 0, { vni: 0xabcdef, group: 0x1234 });
  expect([...bytes]).toEqual([0x88, 0, 0x12, 0x34, 0xab, 0xcd, 0xef, 0]);
  // What Linux sends: without a mark plain VXLAN, with one the group alone.
  expect(read([0x08, 0, 0, 0, 0, 0x1b, 0x58, 0])).toEqual({ vni: 7000, group: 0 });
  expect(read([0x88, 0, 0, 16, 0, 0x1b, 0x58, 0])).toEqual({ vni: 7000, group: 16 });
});

test('reads what it wrote, at any place', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 0xffffff }),
      fc.nat({ max: 0xffff }),
      fc.nat({ max: 20 }),
      (vni, group, start) => {
        const bytes = new Uint8Array(start + 30).fill(0xff);
        writeVxlanHeader(bytes, start, { vni, group });
        const header = { vni: 0, group: 0 };
        expect(readVxlanHeader(bytes, { start, end: bytes.length }, header)).toBe(true);
        expect(header).toEqual({ vni, group });
      },
    ),
  );
});

test.each([
  ['no VNI', [0x80, 0, 0, 1, 0, 0, 1, 0]],
  ['a reserved flag', [0x8c, 0, 0, 1, 0, 0, 1, 0]],
  ['a reserved bit of the group', [0x88, 0x80, 0, 1, 0, 0, 1, 0]],
  ['a group without its flag', [0x08, 0, 0, 1, 0, 0, 1, 0]],
  ['reserved bits without a group', [0x08, 0x40, 0, 0, 0, 0, 1, 0]],
  ['a reserved last octet', [0x88, 0, 0, 1, 0, 0, 1, 1]],
  ['seven octets', [0x88, 0, 0, 1, 0, 0, 1]],
  ['nothing', []],
])('refuses %s', (_, bytes) => {
  expect(read(bytes)).toBeUndefined();
});
