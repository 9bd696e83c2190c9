import type { FloatWidth, Rounding } from '../floating-instruction.ts';
import { bitLength } from './bit-length.ts';
import {
  flushesToZero,
  floatFlag,
  roundingOf,
  usesAlternativeHalf,
  type FloatEnvironment,
} from './float-environment.ts';
import { floatFormats } from './float-format.ts';
import { divideByPower } from './divide-by-power.ts';

/** An exact number; a bit below all others may stand for what was left over. */
export interface Real {
  readonly negative: boolean;
  readonly mantissa: bigint;
  readonly exponent: number;
}

export interface RoundTo {
  readonly width: FloatWidth;
  readonly env: FloatEnvironment;
  /** Other than what FPCR says; `odd` is FCVTXN's, which a second rounding does not spoil. */
  readonly rounding?: Rounding | 'odd';
}

/** The nearest number of a format, with its exceptions (Arm ARM, `FPRound`). */
export function roundFloat(value: Real, to: RoundTo): bigint {
  const { width, env, rounding = roundingOf(env) } = to;
  const format = floatFormats[width];
  const { negative, mantissa, exponent } = value;
  const sign = negative ? format.signBit : 0n;
  if (mantissa === 0n) return sign;
  const top = exponent + bitLength(mantissa) - 1;
  const lowest = 1 - format.bias;
  if (width !== 16 && flushesToZero(env) && top < lowest) {
    env.raise(floatFlag.underflow);
    return sign;
  }
  const quantum = Math.max(top, lowest) - format.fraction;
  const { quotient, inexact } = divideByPower(mantissa, {
    power: quantum - exponent,
    negative,
    rounding,
  });
  if (top < lowest && inexact) env.raise(floatFlag.underflow);
  // Adding instead of combining: a fraction that was rounded up to the next power carries over.
  const biased = Math.max(top - lowest, 0);
  const bits = (BigInt(biased) << BigInt(format.fraction)) + quotient;
  if (width === 16 && usesAlternativeHalf(env)) {
    if (bits >= format.signBit) {
      env.raise(floatFlag.invalid);
      return sign | (format.signBit - 1n);
    }
  } else if (bits >= format.infinity) {
    env.raise(floatFlag.overflow | floatFlag.inexact);
    return sign | (overflowsToInfinity(rounding, negative) ? format.infinity : format.largest);
  }
  if (inexact) env.raise(floatFlag.inexact);
  return sign | bits;
}

function overflowsToInfinity(rounding: Rounding | 'odd', negative: boolean): boolean {
  switch (rounding) {
    case 'even':
    case 'away':
      return true;
    case 'up':
      return !negative;
    case 'down':
      return negative;
    case 'zero':
    case 'odd':
      return false;
  }
}
