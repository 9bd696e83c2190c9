import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseContentRange, parseRange, resolveRange } from './byte-range.ts';

function span(
  header: string,
  size: number,
): readonly [number, number] | 'ignored' | 'unsatisfiable' {
  const range = parseRange(header);
  if (range === undefined) return 'ignored';
  const resolved = resolveRange(range, size);
  return resolved === undefined ? 'unsatisfiable' : [resolved.start, resolved.end];
}

test.each([
  ['bytes=0-0', [0, 1]],
  ['bytes=2-', [2, 10]],
  ['bytes=-3', [7, 10]],
  ['bytes=-30', [0, 10]],
  ['bytes=5-99', [5, 10]],
  ['bytes=10-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=3-2', 'ignored'],
  ['bytes=0-1,3-4', 'ignored'],
  ['items=0-1', 'ignored'],
  ['bytes=-', 'ignored'],
  ['bytes=1e3-', 'ignored'],
])('%s of ten bytes is %j', (header, expected) => {
  expect(span(header, 10)).toEqual(expected);
});

test('a span lies within the body, whatever is asked', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.nat(1000), (first, last, size) => {
      for (const header of [`bytes=${first}-${last}`, `bytes=${first}-`, `bytes=-${last}`]) {
        const range = parseRange(header);
        const resolved = range === undefined ? undefined : resolveRange(range, size);
        if (resolved === undefined) continue;
        expect(resolved.start).toBeGreaterThanOrEqual(0);
        expect(resolved.start).toBeLessThan(resolved.end);
        expect(resolved.end).toBeLessThanOrEqual(size);
      }
    }),
  );
});

test('Content-Range is read, and refused where it contradicts itself', () => {
  expect(parseContentRange('bytes 2-4/10')).toEqual({ start: 2, end: 5, total: 10 });
  expect(parseContentRange('bytes 2-4/*')).toEqual({ start: 2, end: 5, total: undefined });
  for (const broken of ['bytes 4-2/10', 'bytes 2-10/10', 'bytes */10', '2-4/10']) {
    expect(parseContentRange(broken)).toBeUndefined();
  }
});
