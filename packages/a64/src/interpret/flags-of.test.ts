import fc from 'fast-check';
import { expect, test } from 'vitest';
import { flagsKind } from './flags-kind.ts';
import { flagsOf } from './flags-of.ts';
import { addWithCarry } from './integer-arithmetic.ts';

const word = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

test('flags of a sum or difference are those of the addition that the architecture defines', () => {
  fc.assert(
    fc.property(word, word, fc.boolean(), fc.boolean(), (a, b, wide, subtract) => {
      const bits = wide ? 64 : 32;
      const x = BigInt.asUintN(bits, a);
      const y = BigInt.asUintN(bits, subtract ? ~b : b);
      const { nzcv } = addWithCarry(x, y, { carry: subtract ? 1n : 0n, bits });
      const kind = (subtract ? flagsKind.subtract : flagsKind.add) + (wide ? 0 : 1);
      // What is above 32 bits does not count.
      expect(flagsOf(kind, { a, b })).toBe(nzcv);
    }),
  );
});

test('a comparison of numbers is less, equal or greater', () => {
  const bits = (value: number): bigint =>
    new BigUint64Array(Float64Array.of(value).buffer)[0] ?? 0n;
  const of = (a: number, b: number): number => flagsOf(flagsKind.float, { a: bits(a), b: bits(b) });
  expect([of(-1, 2), of(0, -0), of(3, 2)]).toEqual([0b1000, 0b0110, 0b0010]);
});
