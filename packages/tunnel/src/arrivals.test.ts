import { expect, test } from 'vitest';
import { Arrivals } from './arrivals.ts';
import { ackFlag, headerBytes } from './frame.ts';

test('a frame that was cut comes again, and its stream has each byte once', () => {
  const arrivals = new Arrivals();
  arrivals.beginsFrame();
  expect(arrivals.freshOf(Uint8Array.of(1, 2, 3))).toEqual(Uint8Array.of(1, 2, 3));
  // Another connection: the first byte again, then more than was had.
  arrivals.beginsFrame();
  expect(arrivals.freshOf(Uint8Array.of(1))).toBeUndefined();
  expect(arrivals.freshOf(Uint8Array.of(2, 3, 4))).toEqual(Uint8Array.of(4));
  expect(arrivals.position).toBe(0);
  arrivals.endsFrame(0, 4);
  expect(arrivals.position).toBe(headerBytes + 4);
  arrivals.beginsFrame();
  expect(arrivals.freshOf(Uint8Array.of(5))).toEqual(Uint8Array.of(5));
});

test('a frame may ask for an acknowledgement', () => {
  const arrivals = new Arrivals();
  arrivals.sequenced(0, 10);
  expect(arrivals.ackDue).toBe(false);
  arrivals.sequenced(ackFlag, 0);
  expect([arrivals.ackDue, arrivals.position]).toEqual([true, 2 * headerBytes + 10]);
});
