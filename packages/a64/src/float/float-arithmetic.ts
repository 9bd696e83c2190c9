import { bitLength } from './bit-length.ts';
import { floatFlag, roundingOf } from './float-environment.ts';
import { floatFormats } from './float-format.ts';
import type { FloatType } from './float-type.ts';
import { invalid, processNans } from './process-nans.ts';
import { roundFloat, type Real } from './round-float.ts';
import { unpackFloat, type Unpacked } from './unpack-float.ts';

/** Of zeros of either sign the sum is positive, but for rounding down. */
function exactZero(type: FloatType): bigint {
  return roundingOf(type.env) === 'down' ? floatFormats[type.width].signBit : 0n;
}

function infinity(negative: boolean, { width }: FloatType): bigint {
  const { signBit, infinity: bits } = floatFormats[width];
  return negative ? signBit | bits : bits;
}

function zero(negative: boolean, { width }: FloatType): bigint {
  return negative ? floatFormats[width].signBit : 0n;
}

function sum(a: Real, b: Real): Real {
  const exponent = Math.min(a.exponent, b.exponent);
  const signed = (value: Real): bigint => {
    const mantissa = value.mantissa << BigInt(value.exponent - exponent);
    return value.negative ? -mantissa : mantissa;
  };
  const total = signed(a) + signed(b);
  return { negative: total < 0n, mantissa: total < 0n ? -total : total, exponent };
}

export function floatAdd(a: bigint, b: bigint, type: FloatType): bigint {
  const left = unpackFloat(a, type);
  const right = unpackFloat(b, type);
  return (
    processNans(
      [
        [a, left],
        [b, right],
      ],
      type,
    ) ?? addUnpacked(left, right, type)
  );
}

export function floatSubtract(a: bigint, b: bigint, type: FloatType): bigint {
  const left = unpackFloat(a, type);
  const right = unpackFloat(b, type);
  const negated = { ...right, negative: !right.negative };
  return (
    processNans(
      [
        [a, left],
        [b, right],
      ],
      type,
    ) ?? addUnpacked(left, negated, type)
  );
}

function addUnpacked(a: Unpacked, b: Unpacked, type: FloatType): bigint {
  if (a.kind === 'infinity' && b.kind === 'infinity' && a.negative !== b.negative) {
    return invalid(type);
  }
  if (a.kind === 'infinity') return infinity(a.negative, type);
  if (b.kind === 'infinity') return infinity(b.negative, type);
  if (a.kind === 'zero' && b.kind === 'zero' && a.negative === b.negative) {
    return zero(a.negative, type);
  }
  const total = sum(a, b);
  return total.mantissa === 0n ? exactZero(type) : roundFloat(total, type);
}

export function floatMultiply(a: bigint, b: bigint, type: FloatType): bigint {
  const left = unpackFloat(a, type);
  const right = unpackFloat(b, type);
  return (
    processNans(
      [
        [a, left],
        [b, right],
      ],
      type,
    ) ?? multiplyUnpacked(left, right, type)
  );
}

function multiplyUnpacked(a: Unpacked, b: Unpacked, type: FloatType): bigint {
  const negative = a.negative !== b.negative;
  if (infinityTimesZero(a, b)) return invalid(type);
  if (a.kind === 'infinity' || b.kind === 'infinity') return infinity(negative, type);
  return roundFloat({ ...product(a, b), negative }, type);
}

function infinityTimesZero(a: Unpacked, b: Unpacked): boolean {
  return (
    (a.kind === 'infinity' && b.kind === 'zero') || (a.kind === 'zero' && b.kind === 'infinity')
  );
}

function product(a: Unpacked, b: Unpacked): Real {
  return {
    negative: a.negative !== b.negative,
    mantissa: a.mantissa * b.mantissa,
    exponent: a.exponent + b.exponent,
  };
}

/** FMULX: infinity times zero is two, so that reciprocal steps go on. */
export function floatMultiplyExtended(a: bigint, b: bigint, type: FloatType): bigint {
  const left = unpackFloat(a, type);
  const right = unpackFloat(b, type);
  const nan = processNans(
    [
      [a, left],
      [b, right],
    ],
    type,
  );
  if (nan !== undefined) return nan;
  if (!infinityTimesZero(left, right)) return multiplyUnpacked(left, right, type);
  const negative = left.negative !== right.negative;
  return roundFloat({ negative, mantissa: 2n, exponent: 0 }, type);
}

export function floatDivide(a: bigint, b: bigint, type: FloatType): bigint {
  const left = unpackFloat(a, type);
  const right = unpackFloat(b, type);
  const nan = processNans(
    [
      [a, left],
      [b, right],
    ],
    type,
  );
  if (nan !== undefined) return nan;
  const negative = left.negative !== right.negative;
  if (left.kind === right.kind && left.kind !== 'finite') return invalid(type);
  if (left.kind === 'infinity') return infinity(negative, type);
  if (right.kind === 'zero') {
    type.env.raise(floatFlag.divideByZero);
    return infinity(negative, type);
  }
  if (left.kind === 'zero' || right.kind === 'infinity') return zero(negative, type);
  return roundFloat({ ...quotient(left, right), negative }, type);
}

/** To some bits more than any format has, and one more that says whether anything is left. */
function quotient(a: Unpacked, b: Unpacked): Real {
  const scale = 64 + bitLength(b.mantissa);
  const dividend = a.mantissa << BigInt(scale);
  const floor = dividend / b.mantissa;
  const sticky = floor * b.mantissa === dividend ? 0n : 1n;
  return {
    negative: false,
    mantissa: (floor << 1n) | sticky,
    exponent: a.exponent - b.exponent - scale - 1,
  };
}

/** a + n × m, rounded once. */
export function floatMultiplyAdd(
  operands: { readonly addend: bigint; readonly n: bigint; readonly m: bigint },
  type: FloatType,
): bigint {
  const addend = unpackFloat(operands.addend, type);
  const n = unpackFloat(operands.n, type);
  const m = unpackFloat(operands.m, type);
  const nan = processNans(
    [
      [operands.addend, addend],
      [operands.n, n],
      [operands.m, m],
    ],
    type,
  );
  const lost = infinityTimesZero(n, m);
  // A quiet NaN as addend does not hide that the product is none.
  if (lost && addend.kind === 'quiet') return invalid(type);
  if (nan !== undefined) return nan;
  const negative = n.negative !== m.negative;
  const productInfinite = n.kind === 'infinity' || m.kind === 'infinity';
  const addendInfinite = addend.kind === 'infinity';
  if (lost || (productInfinite && addendInfinite && addend.negative !== negative)) {
    return invalid(type);
  }
  if (addendInfinite) return infinity(addend.negative, type);
  if (productInfinite) return infinity(negative, type);
  const productZero = n.kind === 'zero' || m.kind === 'zero';
  if (productZero && addend.kind === 'zero' && addend.negative === negative) {
    return zero(negative, type);
  }
  const total = sum(addend, product(n, m));
  return total.mantissa === 0n ? exactZero(type) : roundFloat(total, type);
}

export function floatSquareRoot(a: bigint, type: FloatType): bigint {
  const value = unpackFloat(a, type);
  const nan = processNans([[a, value]], type);
  if (nan !== undefined) return nan;
  if (value.kind === 'zero') return zero(value.negative, type);
  if (value.negative) return invalid(type);
  if (value.kind === 'infinity') return infinity(false, type);
  const scale = 128 + ((value.exponent + 128) & 1);
  const radicand = value.mantissa << BigInt(scale);
  const root = integerSquareRoot(radicand);
  const sticky = root * root === radicand ? 0n : 1n;
  return roundFloat(
    {
      negative: false,
      mantissa: (root << 1n) | sticky,
      exponent: (value.exponent - scale) / 2 - 1,
    },
    type,
  );
}

/** By Newton's method from above. */
function integerSquareRoot(value: bigint): bigint {
  let root = 1n << BigInt(Math.ceil(bitLength(value) / 2));
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
