import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SegmentIntent } from '../intent/segment-intent.ts';
import { changedSegments } from './changed-segments.ts';

const pool = Array.from({ length: 12 }, (_, index): SegmentIntent => ({
  name: `s${index}`,
  vni: 5000 + index,
  subnet: `10.0.${index}.0/24`,
  mtu: 1400,
  encryption: { underlay: 'none', link: 'none' },
  communities: {},
  ports: [],
}));

test('names what is in one list only, whatever moved', () => {
  const lists = fc.shuffledSubarray(pool);
  fc.assert(
    fc.property(lists, lists, (before, after) => {
      const { gone, come } = changedSegments(before, after);
      expect(new Set(gone)).toEqual(new Set(before.filter((entry) => !after.includes(entry))));
      expect(new Set(come)).toEqual(new Set(after.filter((entry) => !before.includes(entry))));
    }),
  );
});

test('a copy of a segment is another one', () => {
  const [first, second, third] = pool as [SegmentIntent, SegmentIntent, SegmentIntent];
  const copy = { ...second };
  expect(changedSegments([first, second, third], [first, copy, third])).toEqual({
    gone: [second],
    come: [copy],
  });
});
