import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  floatAdd,
  floatDivide,
  floatMultiply,
  floatMultiplyAdd,
  floatSquareRoot,
  floatSubtract,
} from './float-arithmetic.ts';
import { floatFlag } from './float-environment.ts';
import type { FloatType } from './float-type.ts';

/** What JavaScript computes is IEEE 754's, rounded to nearest: a second opinion beside qemu's. */
const view = new DataView(new ArrayBuffer(8));

function bits64(value: number): bigint {
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

function bits32(value: number): bigint {
  view.setFloat32(0, value);
  return BigInt(view.getUint32(0));
}

function withFlags(width: 32 | 64, fpcr = 0): { readonly type: FloatType; flags: () => number } {
  let flags = 0;
  const env = {
    fpcr,
    raise: (more: number): void => {
      flags |= more;
    },
  };
  return { type: { width, env }, flags: () => flags };
}

const doubles = fc.oneof(
  fc.double({ noNaN: true }),
  fc.constantFrom(0, -0, 1, Number.MIN_VALUE, Number.MAX_VALUE, 2 ** -1022, Infinity, -Infinity),
);
const singles = fc.float({ noNaN: true });

const doubleOperations = [
  ['add', floatAdd, (a: number, b: number) => a + b],
  ['subtract', floatSubtract, (a: number, b: number) => a - b],
  ['multiply', floatMultiply, (a: number, b: number) => a * b],
  ['divide', floatDivide, (a: number, b: number) => a / b],
] as const;

describe.each(doubleOperations)('%s', (_, ours, theirs) => {
  test('doubles as JavaScript does', () => {
    fc.assert(
      fc.property(doubles, doubles, (a, b) => {
        const result = theirs(a, b);
        fc.pre(!Number.isNaN(result));
        expect(ours(bits64(a), bits64(b), withFlags(64).type)).toBe(bits64(result));
      }),
    );
  });

  // A double has more than twice the digits, so that rounding twice does no harm.
  test('singles as JavaScript does, rounded', () => {
    fc.assert(
      fc.property(singles, singles, (a, b) => {
        const result = Math.fround(theirs(a, b));
        fc.pre(!Number.isNaN(result));
        expect(ours(bits32(a), bits32(b), withFlags(32).type)).toBe(bits32(result));
      }),
    );
  });
});

test('square roots as JavaScript takes them', () => {
  fc.assert(
    fc.property(
      doubles.filter((value) => value >= 0),
      (value) => {
        expect(floatSquareRoot(bits64(value), withFlags(64).type)).toBe(bits64(Math.sqrt(value)));
      },
    ),
  );
});

test('a product and a sum are rounded once', () => {
  const almost = 1 + 2 ** -52;
  const operands = { addend: bits64(-1 - 2 ** -51), n: bits64(almost), m: bits64(almost) };
  expect(almost * almost - 1 - 2 ** -51).toBe(0);
  expect(floatMultiplyAdd(operands, withFlags(64).type)).toBe(bits64(2 ** -104));
});

test('what happened is said', () => {
  const one = bits64(1);
  const cases = [
    [floatDivide, one, 0n, floatFlag.divideByZero],
    [floatDivide, 0n, 0n, floatFlag.invalid],
    [floatDivide, one, bits64(3), floatFlag.inexact],
    [floatMultiply, bits64(2 ** 1023), bits64(2), floatFlag.overflow | floatFlag.inexact],
    [floatMultiply, 1n, bits64(0.5), floatFlag.underflow | floatFlag.inexact],
    [floatAdd, one, one, 0],
  ] as const;
  for (const [operation, a, b, expected] of cases) {
    const { type, flags } = withFlags(64);
    operation(a, b, type);
    expect(flags()).toBe(expected);
  }
});

test('rounding is as FPCR says', () => {
  const third = (fpcr: number): bigint =>
    floatDivide(bits64(1), bits64(3), withFlags(64, fpcr).type);
  const nearest = bits64(1 / 3);
  expect([0, 1, 2, 3].map((mode) => third(mode << 22) - nearest)).toEqual([0n, 1n, 0n, 0n]);
  const negative = floatDivide(bits64(-1), bits64(3), withFlags(64, 2 << 22).type);
  expect(negative - bits64(-1 / 3)).toBe(1n);
});

test('a NaN keeps its payload, made quiet, or is the default one', () => {
  const signalling = 0x7ff0000000000123n;
  expect(floatAdd(signalling, 0n, withFlags(64).type)).toBe(0x7ff8000000000123n);
  expect(floatAdd(signalling, 0n, withFlags(64, 1 << 25).type)).toBe(0x7ff8000000000000n);
});
