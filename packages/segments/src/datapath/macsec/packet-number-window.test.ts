import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PacketNumberWindow } from './packet-number-window.ts';

const top = 2n ** 32n;

/** What the window is to do, by whole numbers and a set. */
class SlowWindow {
  readonly seen = new Set<bigint>();
  next: bigint;
  readonly window: bigint;
  constructor(window: number, lowest: bigint) {
    this.window = BigInt(window);
    this.next = lowest;
  }
  take(number: bigint): boolean {
    if (number < this.next && (number < this.next - 1n - this.window || this.seen.has(number))) {
      return false;
    }
    this.seen.add(number);
    if (number >= this.next) this.next = number + 1n;
    return true;
  }
}

test('takes each number once and none that is late, also across the wrap of the lower half', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(0, 1, 7, 32, 64, 300),
      fc.bigInt({ min: 1n, max: 3n }),
      fc.array(fc.integer({ min: -400, max: 400 }), { maxLength: 200 }),
      (size, wraps, steps) => {
        const lowest = wraps * top - 200n;
        const window = new PacketNumberWindow(size, {
          high: Number(lowest / top),
          low: Number(lowest % top),
        });
        const slow = new SlowWindow(size, lowest);
        // A number below the lowest never came, and the slow one must not take it as a late one.
        let at = lowest + 400n;
        const take = (number: bigint): void => {
          const low = Number(number % top);
          const high = window.recoverHigh(low);
          expect(high).toBe(Number(number / top));
          const taken = window.accepts(high, low);
          expect(taken).toBe(slow.take(number));
          if (taken) window.note(high, low);
        };
        take(at);
        for (const step of steps) {
          at += BigInt(step);
          if (at < lowest) at = lowest;
          take(at);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('a window of none takes each number higher than the one before', () => {
  const window = new PacketNumberWindow(0, { high: 0, low: 1 });
  const taken = [3, 2, 3, 4, 9, 8].map((low) => {
    const takes = window.accepts(0, low);
    if (takes) window.note(0, low);
    return takes;
  });
  expect(taken).toEqual([true, false, false, true, true, false]);
});
