import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frameStream, longestStreamFrame, streamFrame } from './frame-stream.ts';

function taken(): { readonly frames: string[]; readonly push: (chunk: Uint8Array) => void } {
  const frames: string[] = [];
  const { push } = frameStream((bytes, { start, end }) => {
    frames.push([...bytes.subarray(start, end)].join());
  });
  return { frames, push };
}

test('a length of four bytes, the highest first, as QEMU writes it', () => {
  const { frames, push } = taken();
  push(Uint8Array.of(0, 0, 0, 2, 7, 8, 0, 0, 0, 1, 9));
  expect(frames).toEqual(['7,8', '9']);
  expect([...streamFrame(Uint8Array.of(0, 7, 8), { start: 1, end: 3 })]).toEqual([
    0, 0, 0, 2, 7, 8,
  ]);
});

test('whatever the pieces are, the same frames come out', () => {
  const frame = fc.uint8Array({ minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(
      fc.array(frame),
      fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
      (list, cuts) => {
        const stream = Uint8Array.from(
          list.flatMap((one) => [...streamFrame(one, { start: 0, end: one.length })]),
        );
        const { frames, push } = taken();
        for (let at = 0; at < stream.length;) {
          const { value } = cuts.next();
          push(stream.slice(at, (at += Number(value))));
        }
        expect(frames).toEqual(list.map((one) => [...one].join()));
      },
    ),
  );
});

test.each([0, longestStreamFrame + 1, 0xffff_ffff])('a length of %i is refused', (length) => {
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, length);
  const { push } = taken();
  expect(() => push(head)).toThrow(`a frame of ${length} bytes is announced; 1 to 69632 are taken`);
});
