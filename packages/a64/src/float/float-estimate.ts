import { floatAdd, floatMultiplyAdd } from './float-arithmetic.ts';
import { bitLength } from './bit-length.ts';
import { flushesToZero, floatFlag, roundingOf } from './float-environment.ts';
import { floatFormats } from './float-format.ts';
import type { FloatType } from './float-type.ts';
import { invalid, processNans } from './process-nans.ts';
import { roundFloat } from './round-float.ts';
import { unpackFloat } from './unpack-float.ts';

/** A value in [256, 512) as 9 bits to the estimate of 2^17 / value, 9 bits (`RecipEstimate`). */
export function reciprocalEstimate(a: number): number {
  const scaled = a * 2 + 1;
  return Math.floor((Math.floor(2 ** 19 / scaled) + 1) / 2);
}

/** 9 bits of a value in [1/4, 1) to the estimate of its reciprocal square root (`RecipSqrtEstimate`). */
export function reciprocalRootEstimate(a: number): number {
  const scaled = a < 256 ? a * 2 + 1 : Math.floor(a / 2) * 2 * 2 + 2;
  let b = 512;
  while (scaled * (b + 1) * (b + 1) < 2 ** 28) b++;
  return Math.floor((b + 1) / 2);
}

/** FRECPE. */
export function floatReciprocalEstimate(a: bigint, type: FloatType): bigint {
  const { width, env } = type;
  const format = floatFormats[width];
  const value = unpackFloat(a, type);
  const nan = processNans([[a, value]], type);
  if (nan !== undefined) return nan;
  const sign = value.negative ? format.signBit : 0n;
  if (value.kind === 'infinity') return sign;
  if (value.kind === 'zero') {
    env.raise(floatFlag.divideByZero);
    return sign | format.infinity;
  }
  const length = bitLength(value.mantissa);
  const top = value.exponent + length - 1;
  // The reciprocal of less than 2^-(bias + 1) overflows.
  if (top < -format.bias - 1) {
    env.raise(floatFlag.overflow | floatFlag.inexact);
    const rounding = roundingOf(env);
    const infinite =
      rounding === 'even' ||
      (rounding === 'up' && !value.negative) ||
      (rounding === 'down' && value.negative);
    return sign | (infinite ? format.infinity : format.largest);
  }
  if (flushesToZero(env) && top >= format.bias - 1) {
    env.raise(floatFlag.underflow);
    return sign;
  }
  const nine = Number((value.mantissa << 9n) >> BigInt(length));
  const estimate = BigInt(reciprocalEstimate(nine));
  // estimate is 2^17 / nine, and nine stands for the value times 2^(8 - top).
  return packTruncated(estimate, { exponent: -9 - top + 0, sign, type });
}

/** The estimate as it is: its bits fit, and what a denormal loses is cut off without a flag. */
function packTruncated(
  estimate: bigint,
  how: { readonly exponent: number; readonly sign: bigint; readonly type: FloatType },
): bigint {
  const { exponent, sign, type } = how;
  const quiet = { fpcr: 0, raise: () => {} };
  const real = { negative: false, mantissa: estimate, exponent };
  return sign | roundFloat(real, { width: type.width, env: quiet, rounding: 'zero' });
}

/** FRSQRTE. */
export function floatReciprocalRootEstimate(a: bigint, type: FloatType): bigint {
  const { width, env } = type;
  const format = floatFormats[width];
  const value = unpackFloat(a, type);
  const nan = processNans([[a, value]], type);
  if (nan !== undefined) return nan;
  if (value.kind === 'zero') {
    env.raise(floatFlag.divideByZero);
    return (value.negative ? format.signBit : 0n) | format.infinity;
  }
  if (value.negative) return invalid(type);
  if (value.kind === 'infinity') return 0n;
  const length = bitLength(value.mantissa);
  const top = value.exponent + length - 1;
  // Into [1/4, 1/2) or [1/2, 1), so that the exponent can be halved: nine bits of [128, 256) or
  // [256, 512).
  const odd = (top & 1) !== 0;
  const bits = odd ? 9 : 8;
  const nine = Number((value.mantissa << BigInt(bits)) >> BigInt(length));
  const estimate = BigInt(reciprocalRootEstimate(nine));
  const half = odd ? (top + 1) / 2 : (top + 2) / 2;
  return packTruncated(estimate, { exponent: -half - 8, sign: 0n, type });
}

/** FRECPX: the reciprocal of the exponent alone. */
export function floatReciprocalExponent(a: bigint, type: FloatType): bigint {
  const format = floatFormats[type.width];
  const value = unpackFloat(a, type);
  const nan = processNans([[a, value]], type);
  if (nan !== undefined) return nan;
  const sign = a & format.signBit;
  const exponent = a & format.infinity;
  const one = 1n << BigInt(format.fraction);
  return sign | (exponent === 0n ? format.infinity - one : ~exponent & format.infinity);
}

function constant(mantissa: bigint, exponent: number, { width, env }: FloatType): bigint {
  return roundFloat({ negative: false, mantissa, exponent }, { width, env });
}

/** FRECPS: 2 - n × m, and FRSQRTS: (3 - n × m) / 2; infinity times zero counts as zero. */
export function floatStep(
  operands: { readonly n: bigint; readonly m: bigint; readonly root: boolean },
  type: FloatType,
): bigint {
  const { root, m } = operands;
  const { signBit } = floatFormats[type.width];
  const n = operands.n ^ signBit;
  const left = unpackFloat(n, type);
  const right = unpackFloat(m, type);
  const nan = processNans(
    [
      [n, left],
      [m, right],
    ],
    type,
  );
  if (nan !== undefined) return nan;
  const start = root ? constant(3n, 0, type) : constant(2n, 0, type);
  const infinite = left.kind === 'infinity' || right.kind === 'infinity';
  if (infinite && (left.kind === 'zero' || right.kind === 'zero')) {
    return root ? constant(3n, -1, type) : start;
  }
  if (!root) return floatMultiplyAdd({ addend: start, n, m }, type);
  if (infinite) {
    const { infinity } = floatFormats[type.width];
    return left.negative === right.negative ? infinity : infinity | signBit;
  }
  // Halved before it is rounded: the sum is exact in no format.
  const product = {
    negative: left.negative !== right.negative,
    mantissa: left.mantissa * right.mantissa,
    exponent: left.exponent + right.exponent,
  };
  const exponent = Math.min(product.exponent, 0);
  const three = 3n << BigInt(-exponent);
  const scaled = product.mantissa << BigInt(product.exponent - exponent);
  const total = product.negative ? three - scaled : three + scaled;
  if (total === 0n) return floatAdd(signBit, 0n, type);
  return roundFloat(
    { negative: total < 0n, mantissa: total < 0n ? -total : total, exponent: exponent - 1 },
    type,
  );
}
