import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NumberSpace } from './number-space.ts';

/** The same by looking at every number. */
class Model {
  readonly taken: boolean[];
  constructor(order: number) {
    this.taken = Array.from({ length: 2 ** order }, () => false);
  }
  isFree(first: number, size: number): boolean {
    return this.taken.slice(first, first + size).every((one) => !one);
  }
  lowest(size: number): number | undefined {
    for (let first = 0; first + size <= this.taken.length; first += size) {
      if (this.isFree(first, size)) return first;
    }
    return undefined;
  }
  set(first: number, size: number, taken: boolean): void {
    this.taken.fill(taken, first, first + size);
  }
}

const action = fc.record({
  kind: fc.constantFrom('take' as const, 'take-at' as const, 'release' as const),
  order: fc.nat(9),
  at: fc.nat(2 ** 20),
});

test('does what looking at every number does', () => {
  fc.assert(
    fc.property(fc.nat(9), fc.array(action, { maxLength: 80 }), (order, actions) => {
      const space = new NumberSpace(order);
      const model = new Model(order);
      const held: { first: number; order: number }[] = [];
      for (const step of actions) {
        const blockOrder = Math.min(step.order, order);
        const size = 2 ** blockOrder;
        const [given] =
          step.kind === 'release' ? held.splice(step.at % (held.length + 1), 1) : [undefined];
        if (given !== undefined) {
          space.release(given.first, given.order);
          model.set(given.first, 2 ** given.order, false);
        }
        const certain = (step.at % 2 ** (order - blockOrder)) * size;
        const [got, expected] =
          step.kind === 'take'
            ? [space.take(blockOrder), model.lowest(size)]
            : step.kind === 'release'
              ? [undefined, undefined]
              : [
                  space.takeAt(certain, blockOrder) ? certain : undefined,
                  model.isFree(certain, size) ? certain : undefined,
                ];
        expect(got).toBe(expected);
        if (expected !== undefined) {
          model.set(expected, size, true);
          held.push({ first: expected, order: blockOrder });
        }
        expect(space.free).toBe(model.taken.filter((taken) => !taken).length);
        const largest = Array.from({ length: order + 1 }, (_, at) => order - at).find(
          (one) => model.lowest(2 ** one) !== undefined,
        );
        expect(space.largestFree).toBe(largest ?? -1);
      }
    }),
    { numRuns: 300 },
  );
});

test('gives out every number of a space once, in order, and takes all of them back', () => {
  const space = new NumberSpace(14);
  for (let number = 0; number < 2 ** 14; number += 1) expect(space.take(0)).toBe(number);
  expect(space.take(0)).toBeUndefined();
  for (let number = 0; number < 2 ** 14; number += 1) space.release(number, 0);
  expect(space.take(14)).toBe(0);
});

test.each([
  [() => new NumberSpace(25), 'block_invalid', 'order 25 is not from 0 to 24'],
  [() => new NumberSpace(8).takeAt(3, 1), 'block_invalid', '3 is not a multiple of 2'],
  [() => new NumberSpace(8).takeAt(256, 0), 'block_invalid', 'block 256 of 1 ends beyond 255'],
  [() => new NumberSpace(8).release(4, 0), 'block_not_taken', 'block 4 of 1 is not taken'],
  [() => new NumberSpace(8).release(64, 6), 'block_not_taken', 'block 64 of 64 is not taken'],
])('refuses what is no block of it (%#)', (call, code, message) => {
  expect(call).toThrow(expect.objectContaining({ code, message }));
});

test('a block that was taken as a whole is not given back in part', () => {
  const space = new NumberSpace(8);
  expect(space.takeAt(64, 6)).toBe(true);
  expect(space.takeAt(64, 3)).toBe(false);
  expect(() => space.release(64, 3)).toThrow(expect.objectContaining({ code: 'block_not_taken' }));
  expect(space.free).toBe(192);
});
