import type { FloatWidth, Rounding } from '../floating-instruction.ts';
import { bitLength } from './bit-length.ts';
import { divideByPower } from './divide-by-power.ts';
import { floatFlag, roundingOf, usesAlternativeHalf, usesDefaultNan } from './float-environment.ts';
import { floatFormats } from './float-format.ts';
import type { FloatType } from './float-type.ts';
import { processNans } from './process-nans.ts';
import { roundFloat } from './round-float.ts';
import { isNan, unpackFloat } from './unpack-float.ts';

export interface FloatToInteger extends FloatType {
  readonly bits: number;
  readonly signed: boolean;
  readonly rounding: Rounding;
  readonly fractionBits: number;
}

/** Saturating; a NaN is zero (Arm ARM, `FPToFixed`). */
export function floatToInteger(value: bigint, how: FloatToInteger): bigint {
  const { bits, signed, rounding, fractionBits, env } = how;
  const unpacked = unpackFloat(value, how);
  const { negative } = unpacked;
  if (isNan(unpacked)) {
    env.raise(floatFlag.invalid);
    return 0n;
  }
  const most = signed ? (1n << BigInt(bits - 1)) - 1n : (1n << BigInt(bits)) - 1n;
  const least = signed ? -(1n << BigInt(bits - 1)) : 0n;
  const saturated = negative ? least : most;
  // Beyond any integer: not worth shifting by.
  const huge =
    unpacked.kind === 'infinity' ||
    (unpacked.kind === 'finite' &&
      unpacked.exponent + fractionBits + bitLength(unpacked.mantissa) > bits + 1);
  if (huge) {
    env.raise(floatFlag.invalid);
    return BigInt.asUintN(bits, saturated);
  }
  const { quotient, inexact } = divideByPower(unpacked.mantissa, {
    power: -(unpacked.exponent + fractionBits),
    negative,
    rounding,
  });
  const result = negative ? -quotient : quotient;
  if (result > most || result < least) {
    env.raise(floatFlag.invalid);
    return BigInt.asUintN(bits, saturated);
  }
  if (inexact) env.raise(floatFlag.inexact);
  return BigInt.asUintN(bits, result);
}

/** A signed integer of any size, divided by 2^`fractionBits`. */
export function integerToFloat(
  value: bigint,
  how: FloatType & { readonly fractionBits: number },
): bigint {
  const negative = value < 0n;
  return roundFloat(
    { negative, mantissa: negative ? -value : value, exponent: -how.fractionBits },
    how,
  );
}

/** FRINT*: to an integer of the same format. */
export function roundToIntegral(
  value: bigint,
  how: FloatType & { readonly rounding: Rounding | undefined; readonly exact: boolean },
): bigint {
  const { width, env, exact, rounding = roundingOf(env) } = how;
  const { signBit } = floatFormats[width];
  const unpacked = unpackFloat(value, how);
  const nan = processNans([[value, unpacked]], how);
  if (nan !== undefined) return nan;
  const { negative } = unpacked;
  if (unpacked.kind === 'zero') return negative ? signBit : 0n;
  if (unpacked.kind === 'infinity' || unpacked.exponent >= 0) return value;
  const { quotient, inexact } = divideByPower(unpacked.mantissa, {
    power: -unpacked.exponent,
    negative,
    rounding,
  });
  if (inexact && exact) env.raise(floatFlag.inexact);
  return roundFloat({ negative, mantissa: quotient, exponent: 0 }, { width, env });
}

/** From one format to another (Arm ARM, `FPConvert`). */
export function convertFloat(
  value: bigint,
  how: FloatType & { readonly to: FloatWidth; readonly rounding?: 'odd' },
): bigint {
  const { width, to, env } = how;
  const source = floatFormats[width];
  const target = floatFormats[to];
  const alternative = to === 16 && usesAlternativeHalf(env);
  const unpacked = unpackFloat(value, how);
  const sign = unpacked.negative ? target.signBit : 0n;
  if (isNan(unpacked)) {
    if (unpacked.kind === 'signalling' || alternative) env.raise(floatFlag.invalid);
    if (alternative) return sign;
    if (usesDefaultNan(env)) return target.defaultNan;
    const shift = BigInt(target.fraction - source.fraction);
    const payload = shift >= 0n ? unpacked.mantissa << shift : unpacked.mantissa >> -shift;
    return sign | target.infinity | target.quietBit | payload;
  }
  if (unpacked.kind === 'infinity') {
    if (!alternative) return sign | target.infinity;
    env.raise(floatFlag.invalid);
    return sign | (target.signBit - 1n);
  }
  return roundFloat(unpacked, {
    width: to,
    env,
    ...(how.rounding !== undefined && { rounding: how.rounding }),
  });
}
