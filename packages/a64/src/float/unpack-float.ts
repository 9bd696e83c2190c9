import type { FloatWidth } from '../floating-instruction.ts';
import {
  flushesToZero,
  floatFlag,
  usesAlternativeHalf,
  type FloatEnvironment,
} from './float-environment.ts';
import { floatFormats } from './float-format.ts';

/** A number taken apart: its magnitude is exactly `mantissa` × 2^`exponent`. */
export interface Unpacked {
  readonly kind: 'zero' | 'finite' | 'infinity' | 'quiet' | 'signalling';
  readonly negative: boolean;
  readonly mantissa: bigint;
  readonly exponent: number;
}

/** Arm ARM, `FPUnpack`. */
export function unpackFloat(
  bits: bigint,
  how: { readonly width: FloatWidth; readonly env: FloatEnvironment },
): Unpacked {
  const { width, env } = how;
  const format = floatFormats[width];
  const negative = (bits & format.signBit) !== 0n;
  const biased = Number((bits & format.infinity) >> BigInt(format.fraction));
  const fraction = bits & ((1n << BigInt(format.fraction)) - 1n);
  const smallest = 1 - format.bias - format.fraction;
  if (biased === 0) {
    if (fraction === 0n) return { kind: 'zero', negative, mantissa: 0n, exponent: 0 };
    if (width !== 16 && flushesToZero(env)) {
      env.raise(floatFlag.inputDenormal);
      return { kind: 'zero', negative, mantissa: 0n, exponent: 0 };
    }
    return { kind: 'finite', negative, mantissa: fraction, exponent: smallest };
  }
  const special =
    biased === 2 ** format.exponent - 1 && !(width === 16 && usesAlternativeHalf(env));
  if (special) {
    const nan = (fraction & format.quietBit) !== 0n ? 'quiet' : 'signalling';
    return { kind: fraction === 0n ? 'infinity' : nan, negative, mantissa: fraction, exponent: 0 };
  }
  const mantissa = fraction | (1n << BigInt(format.fraction));
  return { kind: 'finite', negative, mantissa, exponent: smallest + biased - 1 };
}

export function isNan({ kind }: Unpacked): boolean {
  return kind === 'quiet' || kind === 'signalling';
}
