import { expect, test } from 'vitest';
import type { SegmentIntent } from '../intent/segment-intent.ts';
import { sampleSegment } from '../testing/sample-intent.ts';
import { VlanNumbers } from './vlan-numbers.ts';

function segment(vni: number): SegmentIntent {
  return sampleSegment(['n1'], { name: `s${vni}`, vni });
}

test('a segment keeps the VLAN that it has, and others get free ones', () => {
  const numbers = new VlanNumbers(new Map([[7001, 5]]), [{ intent: segment(7002), vlan: 6 }]);
  expect(numbers.take(segment(7001), undefined)).toBe(5);
  const next = numbers.take(segment(7000), undefined);
  expect(next).toBe(1 + (7000 % 4094));
  // The same place is taken: the one behind it.
  expect(numbers.take(segment(7000 + 4094), undefined)).toBe(next + 1);
  expect(numbers.take(segment(9000), 7)).toBe(7);
  expect(numbers.take(segment(9001), 7)).not.toBe(7);
});

test('one more than there are VLANs is refused by name', () => {
  const numbers = new VlanNumbers();
  const taken = new Set<number>();
  for (let vni = 5000; vni < 5000 + 4094; vni += 1) {
    taken.add(numbers.take(segment(vni), undefined));
  }
  expect([taken.size, Math.min(...taken), Math.max(...taken)]).toEqual([4094, 1, 4094]);
  expect(() => numbers.take(segment(9999), undefined)).toThrow(
    expect.objectContaining({
      code: 'vlans_exhausted',
      message: 'segment s9999 (VNI 9999) is one more than the 4094 that a bridge has VLANs for',
    }),
  );
});
